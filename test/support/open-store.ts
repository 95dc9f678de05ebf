import type { SessionStore } from 'madeleine';
import { mysqlStore } from 'madeleine/mysql';
import { postgresStore } from 'madeleine/postgres';
import { redisStore } from 'madeleine/redis';
import { sqliteStore } from 'madeleine/sqlite';

/** The stores that several processes can share, each by where it keeps its sessions: a file or a connection string. */
export const SHARED = {
  sqlite: (file: string): SessionStore => sqliteStore(file),
  postgres: (url: string): SessionStore => postgresStore(url),
  mysql: (url: string): SessionStore => mysqlStore(url),
  redis: (url: string): SessionStore => redisStore(url),
};

export type SharedStore = keyof typeof SHARED;

/** For processes that are told by their arguments what to open. */
export function openStore(kind: string, where: string): SessionStore {
  const open = SHARED[kind as SharedStore];
  if (!open) throw new Error(`There is no store "${kind}"`);
  return open(where);
}
