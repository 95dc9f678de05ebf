// Every store that exists, as the races meet it: at once, and behind a network that takes its time.
import type { SessionStore } from 'madeleine';
import { memoryStore } from 'madeleine/memory';
import { mysqlStore } from 'madeleine/mysql';
import { postgresStore } from 'madeleine/postgres';
import { type RedisClient, redisStore } from 'madeleine/redis';
import { sqliteStore } from 'madeleine/sqlite';
import { faultStore } from 'madeleine/testing';
import { startMariadb } from '../servers/mariadb.ts';
import { need } from '../servers/need.ts';
import { startPgBouncer, startPostgres } from '../servers/postgres.ts';
import { startRedis } from '../servers/redis.ts';
import { startRedisCluster } from '../servers/redis-cluster.ts';
import { ioRedisCluster } from '../stores/support/redis-clients.ts';
import type { SharedStore } from '../support/open-store.ts';
import { temporaryFiles } from '../support/temporary-files.ts';

export interface Arena {
  name: string;
  /** Why its server is missing, or `false`. */
  skip?: string | false;
  /** An empty store that has made its table, which is not what the races are about. */
  open(): SessionStore | Promise<SessionStore>;
}

const slow = (store: SessionStore, time: number): SessionStore => faultStore(store, () => ({ kind: 'delay', time }));

const sqliteFile = temporaryFiles('.db');

/** Started once for each test file, and ended with it. */
const without = { postgres: need('postgres', 'pgbouncer'), mysql: need('mariadb'), redis: need('redis') };
const [postgres, mariadb, redis, cluster] = await Promise.all([
  without.postgres ? null : startPostgres(),
  without.mysql ? null : startMariadb(),
  without.redis ? null : startRedis({ appendonly: 'no' }),
  without.redis ? null : startRedisCluster({ appendonly: 'no' }),
]);
const pgbouncer = postgres && (await startPgBouncer(postgres));
const clusterClient = cluster && (await ioRedisCluster(cluster));
let tables = 0;
const table = (): string => `races_${tables++}`;
async function ready(store: SessionStore & { ready(): Promise<void> }): Promise<SessionStore> {
  await store.ready();
  return store;
}
let prefixes = 0;

/** Stores that several processes can share, each with what opens an empty one: a file or a connection string. */
export const SHARED_ARENAS: ReadonlyArray<{ kind: SharedStore; skip?: string | false; where(): Promise<string> }> = [
  { kind: 'sqlite', where: async () => sqliteFile() },
  { kind: 'postgres', skip: without.postgres, where: async () => postgres?.createDatabase() ?? '' },
  { kind: 'mysql', skip: without.mysql, where: async () => mariadb?.createDatabase() ?? '' },
  { kind: 'redis', skip: without.redis, where: async () => redis?.createDatabase() ?? '' },
];

export const ARENAS: readonly Arena[] = [
  { name: 'memory', open: () => memoryStore() },
  { name: 'sqlite', open: () => sqliteStore(sqliteFile()) },
  {
    name: 'postgres',
    skip: without.postgres,
    open: () => ready(postgresStore(postgres?.url ?? '', { table: table() })),
  },
  {
    name: 'postgres behind PgBouncer',
    skip: without.postgres,
    open: () => ready(postgresStore(pgbouncer?.url ?? '', { table: table() })),
  },
  { name: 'mysql', skip: without.mysql, open: () => ready(mysqlStore(mariadb?.url ?? '', { table: table() })) },
  { name: 'redis', skip: without.redis, open: () => redisStore(redis?.createDatabase() ?? '') },
  {
    name: 'a Redis Cluster',
    skip: without.redis,
    open: () => redisStore(clusterClient as RedisClient, { prefix: `races-${prefixes++}:` }),
  },
  { name: 'memory, 50 ms away', open: () => slow(memoryStore(), 50) },
  { name: 'sqlite, 50 ms away', open: () => slow(sqliteStore(sqliteFile()), 50) },
];

/** As far away as a slow database: for what a client sees of its own writes. */
export const FAR: readonly Arena[] = [
  { name: 'memory, 200 ms away', open: () => slow(memoryStore(), 200) },
  { name: 'sqlite, 200 ms away', open: () => slow(sqliteStore(sqliteFile()), 200) },
];
