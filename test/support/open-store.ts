import type { SessionStore } from 'madeleine';
import { redisStore } from 'madeleine/redis';
import { sqliteStore } from 'madeleine/sqlite';

/** The stores that several processes can share, each by where it keeps its sessions: a file or a connection string. */
export const SHARED = {
  sqlite: (file: string): SessionStore => sqliteStore(file),
  redis: (url: string): SessionStore => redisStore(url),
};

export type SharedStore = keyof typeof SHARED;

/** For processes that are told by their arguments what to open. */
export function openStore(kind: string, where: string): SessionStore {
  const open = SHARED[kind as SharedStore];
  if (!open) throw new Error(`There is no store "${kind}"`);
  return open(where);
}
