// The whole contract, on real servers, through every client.
import { after, describe } from 'node:test';
import { type RedisClient, type RedisStoreOptions, redisStore } from 'madeleine/redis';
import { storeConformance } from 'madeleine/testing';
import { need } from '../servers/need.ts';
import { startRedis } from '../servers/redis.ts';
import { startRedisCluster } from '../servers/redis-cluster.ts';
import { startSentinel } from '../servers/redis-sentinel.ts';
import * as clients from './support/redis-clients.ts';

const skip = need('redis');
let prefixes = 0;

/** Each check has its own part of one server. */
function conforms(name: string, client: RedisClient, options: RedisStoreOptions = {}): void {
  const open = ({ clock }: { clock: () => number }) =>
    redisStore(client, { ...options, clock, prefix: `${process.pid}-${prefixes++}:` });
  storeConformance({ name, open });
}

describe('redisStore on one server', { skip }, async () => {
  const server = await startRedis({ appendonly: 'no' });
  after(() => server.stop());
  conforms('node-redis', await clients.nodeRedis(server.url));
  conforms('a pool of node-redis', await clients.nodeRedisPool(server.url));
  conforms('ioredis', await clients.ioRedis(server.url));
  storeConformance({ name: 'a URL', open: ({ clock }) => redisStore(server.createDatabase(), { clock }) });
});

describe('redisStore on a Cluster', { skip }, async () => {
  const cluster = await startRedisCluster({ appendonly: 'no' });
  after(() => cluster.stop());
  conforms('node-redis', await clients.nodeRedisCluster(cluster));
  conforms('ioredis', await clients.ioRedisCluster(cluster));
});

describe('redisStore by Sentinel, waiting for the replica', { skip }, async () => {
  const sentinel = await startSentinel({ appendonly: 'no' });
  after(() => sentinel.stop());
  const wait = { replicas: 1, timeout: '5s' } as const;
  conforms('node-redis', await clients.nodeRedisSentinel(sentinel), { wait });
  conforms('ioredis', await clients.ioRedisSentinel(sentinel), { wait });
});
