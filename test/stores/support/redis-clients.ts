// Every client that the Redis store takes, connected, and closed when the tests around are done.
import { after } from 'node:test';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { createClient, createClientPool, createCluster, createSentinel } from 'redis';
import type { RedisCluster } from '../../servers/redis-cluster.ts';
import type { RedisSentinel } from '../../servers/redis-sentinel.ts';

interface Connects {
  on(event: 'error', listener: () => void): unknown;
  connect(): Promise<unknown>;
}

/** Unheard, the loss of a server would end the process. */
async function connected<Client extends Connects>(client: Client, close: () => unknown): Promise<Client> {
  client.on('error', () => {});
  after(close);
  await client.connect();
  return client;
}

export function nodeRedis(url: string) {
  const client = createClient({ url });
  return connected(client, () => client.destroy());
}

export function nodeRedisPool(url: string, minimum = 1) {
  const pool = createClientPool({ url }, { minimum });
  return connected(pool, () => pool.destroy());
}

export function nodeRedisCluster({ nodes }: RedisCluster) {
  const client = createCluster({ rootNodes: nodes.map(({ url }) => ({ url })) });
  return connected(client, () => client.destroy());
}

export function nodeRedisSentinel({ name, sentinels }: RedisSentinel) {
  const client = createSentinel({ name, sentinelRootNodes: sentinels.map(addressOf) });
  return connected(client, () => client.destroy());
}

export function ioRedis(url: string, options: RedisOptions = {}): Promise<Redis> {
  const client = new Redis(url, { ...options, lazyConnect: true });
  return connected(client, () => client.disconnect());
}

export function ioRedisCluster({ nodes }: RedisCluster): Promise<Cluster> {
  const client = new Cluster(nodes.map(addressOf), { lazyConnect: true });
  return connected(client, () => client.disconnect());
}

export function ioRedisSentinel({ name, sentinels }: RedisSentinel): Promise<Redis> {
  const client = new Redis({ name, sentinels: sentinels.map(addressOf), lazyConnect: true });
  return connected(client, () => client.disconnect());
}

function addressOf({ port }: { port: number }): { host: string; port: number } {
  return { host: '127.0.0.1', port };
}
