// The stores that can be tortured: one line each.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionStore } from 'madeleine';
import { memoryStore } from 'madeleine/memory';
import { mysqlStore } from 'madeleine/mysql';
import { postgresStore } from 'madeleine/postgres';
import { redisStore } from 'madeleine/redis';
import { sqliteStore } from 'madeleine/sqlite';
import { aroundCalls } from '../support/around-calls.ts';

/** Where the servers of one run find their store. */
export interface Place {
  /** A file or an address. */
  name: string;
  release(): void | Promise<void>;
}

export interface TorturedStore {
  /** Whether several processes share it and it outlives them: only such servers are many, and are killed. */
  shared: boolean;
  /** Makes a new, empty place, in the process that drives. */
  prepare(): Place | Promise<Place>;
  /** Opens what is there, in each server. */
  open(place: string): SessionStore;
}

const memory = { shared: false, prepare: (): Place => ({ name: '', release: () => {} }) };
const sqlite = { shared: true, prepare: folder };

export const STORES: Readonly<Record<string, TorturedStore>> = {
  memory: { ...memory, open: () => memoryStore() },
  sqlite: { ...sqlite, open: place => sqliteStore(path.join(place, 'sessions.db')) },
  redis: { shared: true, prepare: redis, open: url => redisStore(url) },
  postgres: { shared: true, prepare: postgres, open: url => postgresStore(url) },
  mysql: { shared: true, prepare: mysql, open: url => mysqlStore(url) },
  // As over a network: every call takes its time, and others come in between.
  'memory-far': { ...memory, open: () => farAway(memoryStore()) },
  'sqlite-far': { ...sqlite, open: place => farAway(sqliteStore(path.join(place, 'sessions.db'))) },
};

function folder(): Place {
  const name = mkdtempSync(path.join(tmpdir(), 'madeleine-torture-'));
  return { name, release: () => rmSync(name, { recursive: true, force: true }) };
}

// Imported where one is started: the many processes that only open a store start without the drivers of all others.
async function redis(): Promise<Place> {
  const { startRedis } = await import('../servers/redis.ts');
  return place(await startRedis({ appendonly: 'no' }));
}

async function postgres(): Promise<Place> {
  const { startPostgres } = await import('../servers/postgres.ts');
  return place(await startPostgres());
}

async function mysql(): Promise<Place> {
  const { startMariadb } = await import('../servers/mariadb.ts');
  return place(await startMariadb());
}

function place({ url, stop }: { url: string; stop(): Promise<void> }): Place {
  return { name: url, release: stop };
}

function farAway(store: SessionStore): SessionStore {
  const travelling = aroundCalls(store, async call => {
    await sleep(Math.random() * 3);
    const answer = await call();
    await sleep(Math.random() * 3);
    return answer;
  });
  return { ...travelling, ...(store.admin ? { admin: store.admin } : {}) };
}
