// Stores for express-session that need no server, each wrapped as an application would.
import { createHash, randomBytes } from 'node:crypto';
import expressSession from 'express-session';
import type { SessionStore } from 'madeleine';
import { type ClassicStore, classicStore } from 'madeleine/classic';
import createMemorystore from 'memorystore';
import createFileStore from 'session-file-store';
import { temporaryFiles } from '../../support/temporary-files.js';
import { MongoLikeStore } from './mongo-like-store.js';

const Memorystore = createMemorystore(expressSession);
const FileStore = createFileStore(expressSession);

const freshFolder = temporaryFiles('');

export const memorystore = (): ClassicStore => new Memorystore();

export const fileStore = (): ClassicStore => {
  const settings = { path: freshFolder(), retries: 0, reapInterval: -1, logFn() {} };
  return new FileStore(settings);
};

export const CLASSIC_STORES: ReadonlyArray<{ name: string; open(): ClassicStore }> = [
  { name: 'memorystore', open: memorystore },
  { name: 'session-file-store', open: fileStore },
  { name: "express-session's MemoryStore", open: () => new expressSession.MemoryStore() },
  { name: 'a store like connect-mongo', open: () => new MongoLikeStore() },
  { name: 'a store like connect-mongo, field by field', open: () => new MongoLikeStore({ stringify: false }) },
];

/**
 * The store as the library uses it: its keys are hashes, 43 characters of base64url, so that they may be names of files. Each
 * is a space of its own, so that all checks can share one server's store.
 */
export function openClassic(classic: ClassicStore): SessionStore {
  const store = classicStore(classic);
  const space = randomBytes(16);
  const hash = (key: string) => createHash('sha256').update(space).update(key).digest('base64url');
  return {
    read: key => store.read(hash(key)),
    create: (key, record) => store.create(hash(key), record),
    replace: (key, record, expected) => store.replace(hash(key), record, expected),
    touch: (key, lastSeenAt, expiresAt) => store.touch(hash(key), lastSeenAt, expiresAt),
    delete: key => store.delete(hash(key)),
  };
}
