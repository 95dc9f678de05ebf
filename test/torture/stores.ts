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
import { startMariadb } from '../servers/mariadb.ts';
import { startPostgres } from '../servers/postgres.ts';
import { startRedis } from '../servers/redis.ts';

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
  redis: { shared: true, prepare: () => server(startRedis({ appendonly: 'no' })), open: url => redisStore(url) },
  postgres: { shared: true, prepare: () => server(startPostgres()), open: url => postgresStore(url) },
  mysql: { shared: true, prepare: () => server(startMariadb()), open: url => mysqlStore(url) },
  // As over a network: every call takes its time, and others come in between.
  'memory-far': { ...memory, open: () => farAway(memoryStore()) },
  'sqlite-far': { ...sqlite, open: place => farAway(sqliteStore(path.join(place, 'sessions.db'))) },
};

function folder(): Place {
  const name = mkdtempSync(path.join(tmpdir(), 'madeleine-torture-'));
  return { name, release: () => rmSync(name, { recursive: true, force: true }) };
}

async function server(starting: Promise<{ url: string; stop(): Promise<void> }>): Promise<Place> {
  const { url, stop } = await starting;
  return { name: url, release: stop };
}

function farAway(store: SessionStore): SessionStore {
  const travel = async <T>(call: () => T): Promise<Awaited<T>> => {
    await sleep(Math.random() * 3);
    const answer = await call();
    await sleep(Math.random() * 3);
    return answer;
  };
  return {
    read: key => travel(() => store.read(key)),
    create: (key, record) => travel(() => store.create(key, record)),
    replace: (key, record, expected) => travel(() => store.replace(key, record, expected)),
    touch: (key, lastSeenAt, expiresAt) => travel(() => store.touch(key, lastSeenAt, expiresAt)),
    delete: key => travel(() => store.delete(key)),
    ...(store.admin ? { admin: store.admin } : {}),
  };
}
