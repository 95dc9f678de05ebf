// Stores for express-session that need no server, each wrapped as an application would.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import expressSession from 'express-session';
import type { SessionStore } from 'madeleine';
import { type ClassicStore, classicStore } from 'madeleine/classic';
import createMemorystore from 'memorystore';
import createFileStore from 'session-file-store';
import { MongoLikeStore } from './mongo-like-store.js';

const Memorystore = createMemorystore(expressSession);
const FileStore = createFileStore(expressSession);

const folder = mkdtempSync(path.join(tmpdir(), 'madeleine-classic-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
let folders = 0;

export const memorystore = (): ClassicStore => new Memorystore();

export const fileStore = (): ClassicStore => {
  const settings = { path: path.join(folder, `${++folders}`), retries: 0, reapInterval: -1, logFn() {} };
  return new FileStore(settings);
};

export const CLASSIC_STORES: ReadonlyArray<{ name: string; open(): ClassicStore }> = [
  { name: 'memorystore', open: memorystore },
  { name: 'session-file-store', open: fileStore },
  { name: "express-session's MemoryStore", open: () => new expressSession.MemoryStore() },
  { name: 'a store like connect-mongo', open: () => new MongoLikeStore() },
  { name: 'a store like connect-mongo, field by field', open: () => new MongoLikeStore({ stringify: false }) },
];

/** The store as the library uses it: its keys are hashes, 43 characters of base64url, so that they may be names of files. */
export function withHashedKeys(store: SessionStore): SessionStore {
  return {
    read: key => store.read(hash(key)),
    create: (key, record) => store.create(hash(key), record),
    replace: (key, record, expected) => store.replace(hash(key), record, expected),
    touch: (key, lastSeenAt, expiresAt) => store.touch(hash(key), lastSeenAt, expiresAt),
    delete: key => store.delete(hash(key)),
  };
}

export const openClassic = (store: ClassicStore): SessionStore => withHashedKeys(classicStore(store));

function hash(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}
