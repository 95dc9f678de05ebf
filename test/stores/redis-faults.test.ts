// Real servers that are killed, paused, filled and failed over, while people fill their carts.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, describe, it, type TestContext } from 'node:test';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import type { SessionStore } from 'madeleine';
import { redisStore } from 'madeleine/redis';
import { need } from '../servers/need.ts';
import { startRedis } from '../servers/redis.ts';
import { ask, type ClusterNode, startRedisCluster } from '../servers/redis-cluster.ts';
import { startSentinel } from '../servers/redis-sentinel.ts';
import { type Load, startLoad } from './support/load.ts';
import { startNetwork } from './support/network.ts';
import * as clients from './support/redis-clients.ts';
import { sampleRecord } from './support/sample-record.ts';

const skip = need('redis');
const now = Date.now();
/** Where the store keeps what is called 'key', now and in later versions. */
const BUCKET_OF_KEY = 108;

type Loads = Record<string, Load>;

/** Has clients at work on each store while `fail` happens, and sees that they came to no harm but refusals. */
async function underLoad(
  t: TestContext,
  stores: Record<string, SessionStore>,
  fail: (loads: Loads) => Promise<void>,
  mayLose: string[] = [],
): Promise<void> {
  const loads: Loads = {};
  try {
    for (const [name, store] of Object.entries(stores)) loads[name] = await startLoad(store, 4);
    await Promise.all(Object.values(loads).map(load => load.served(10)));
    await fail(loads);
    await served(t, loads);
    await Promise.all(Object.values(loads).map(load => load.served(5)));
  } finally {
    // All of them end before one is found wanting: what goes on would keep the process.
    const ended = Object.entries(loads).map(async ([name, load]) => [name, await load.end()] as const);
    for (const [name, report] of await Promise.all(ended)) {
      const { acknowledged, refused, lost, wrong, hung, longest } = report;
      t.diagnostic(
        `${name}: ${acknowledged} acknowledged, ${lost} lost, ${wrong} wrong, ${hung} hung, ${refused} refused, longest answer ${Math.round(longest)} ms`,
      );
      assert.deepEqual({ wrong, hung }, { wrong: 0, hung: 0 }, name);
      if (!mayLose.includes(name)) assert.equal(lost, 0, name);
    }
  }
}

/** Waits until all are served again, and says how long it took. */
async function served(t: TestContext, loads: Loads): Promise<void> {
  const began = performance.now();
  const wait = async ([name, load]: [string, Load]): Promise<void> => {
    await load.served(1);
    t.diagnostic(`${name}: served again after ${Math.round(performance.now() - began)} ms`);
  };
  await Promise.all(Object.entries(loads).map(wait));
}

/** A store whose network can be held up, and whose watch goes by `t.mock.timers`. */
async function overNetwork(t: TestContext) {
  const server = await startRedis({ appendonly: 'no' });
  t.after(() => server.stop());
  const network = await startNetwork(server.port);
  t.after(() => network.close());
  t.mock.timers.enable({ apis: ['setInterval'] });
  const store = redisStore(`redis://127.0.0.1:${network.port}`);
  t.after(() => store.close());
  return { server, network, store };
}

/** Which connection the server has had for the longest time. */
async function connectionTo(server: { url: string }): Promise<string> {
  return /^id=\d+/.exec(String(await ask(server, ['CLIENT', 'LIST'])))?.[0] ?? '';
}

describe('redisStore on a server that fails', { skip, concurrency: false }, async () => {
  const storesOn = async ({ url }: { url: string }): Promise<Record<string, SessionStore>> => ({
    'a URL': redisStore(url),
    'node-redis': redisStore(await clients.nodeRedis(url), { prefix: 'node-redis:' }),
    ioredis: redisStore(await clients.ioRedis(url), { prefix: 'ioredis:' }),
  });

  it('killed and started again: with an append-only file that is always written, nothing is lost', async t => {
    const server = await startRedis({ appendonly: 'always' });
    t.after(() => server.stop());
    await underLoad(t, await storesOn(server), async loads => {
      await server.kill();
      await Promise.all(Object.values(loads).map(load => load.refused(1)));
      await server.restart();
    });
  });

  it('paused for five seconds', async t => {
    const server = await startRedis({ appendonly: 'no' });
    t.after(() => server.stop());
    await underLoad(t, await storesOn(server), async () => {
      server.pause();
      await delay(5_000);
      server.resume();
    });
  });

  it('without room for one more connection', async t => {
    const server = await startRedis({ appendonly: 'no', settings: { maxclients: 10 } });
    t.after(() => server.stop());
    const sockets = Array.from({ length: 10 }, () => net.connect(server.port, '127.0.0.1'));
    await Promise.all(sockets.map(socket => once(socket, 'connect')));
    const store = redisStore(server.url);
    t.after(() => store.close());
    const began = performance.now();
    await assert.rejects(async () => store.read('key'), { code: 'ERR_STORE_FAILED', message: /cannot be reached/ });
    assert.ok(performance.now() - began < 4_000);
    for (const socket of sockets) socket.destroy();
    while (!(await Promise.resolve(store.create('key', sampleRecord(now))).catch(() => false))) await delay(20);
  });

  it('that has become a replica: a clean error, and another connection when it is a master again', async t => {
    const server = await startRedis({ appendonly: 'no' });
    t.after(() => server.stop());
    const store = redisStore(server.url);
    t.after(() => store.close());
    await store.create('key', sampleRecord(now));
    const first = await connectionTo(server);
    await ask(server, ['REPLICAOF', '127.0.0.1', '1']);
    const replace = async () => store.replace('key', sampleRecord(now, { version: 2 }), 1);
    await assert.rejects(replace, /READONLY/);
    await ask(server, ['REPLICAOF', 'NO', 'ONE']);
    while (!(await replace().catch(() => ({ ok: false }))).ok) await delay(20);
    assert.notEqual(await connectionTo(server), first);
  });

  it('that does not answer: more than ten thousand commands are not kept waiting', async t => {
    const server = await startRedis({ appendonly: 'no' });
    t.after(() => server.stop());
    const store = redisStore(server.url);
    t.after(() => store.close());
    await store.ready();
    server.pause();
    const waiting = Array.from({ length: 10_000 }, async () => store.read('key'));
    await assert.rejects(async () => store.read('key'), /10000 calls wait/);
    server.resume();
    assert.ok((await Promise.all(waiting)).every(record => record === null));
  });

  it('that is slow: a connection on which answers come is kept, however busy, and so is one that is idle', async t => {
    const { server, network, store } = await overNetwork(t);
    await store.ready();
    const connection = await connectionTo(server);
    for (let idle = 0; idle < 3; idle++) t.mock.timers.tick(5_000);
    network.hold();
    const [first, second] = [store.read('absent'), store.read('absent')];
    await setImmediate();
    t.mock.timers.tick(5_000);
    network.pass(1);
    assert.equal(await first, null);
    t.mock.timers.tick(5_000);
    network.pass(1);
    assert.equal(await second, null);
    assert.equal(await connectionTo(server), connection);
  });

  it('that does not answer: close waits for a second, and no longer than for the last answer', async t => {
    const server = await startRedis({ appendonly: 'no' });
    t.after(() => server.stop());
    const [store, answered] = [redisStore(server.url), redisStore(server.url)];
    await Promise.all([store.ready(), answered.ready()]);
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const created = answered.create('key', sampleRecord(now));
    const closed = answered.close();
    assert.equal(await created, true);
    assert.notEqual(await Promise.race([closed, setImmediate('it waits')]), 'it waits');
    server.pause();
    const lost = assert.rejects(async () => store.read('key'));
    const closing = store.close();
    await setImmediate();
    t.mock.timers.tick(999);
    assert.equal(await Promise.race([closing, setImmediate('it waits')]), 'it waits');
    t.mock.timers.tick(1);
    assert.notEqual(await Promise.race([closing, setImmediate('it waits')]), 'it waits');
    await lost;
  });

  it('that takes a connection and says nothing: the attempt is given up after four seconds, the next one succeeds', async t => {
    const server = await startRedis({ appendonly: 'no' });
    t.after(() => server.stop());
    const store = redisStore(server.url);
    t.after(() => store.close());
    server.pause();
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const message = /cannot be reached: The server did not answer in time/;
    const refused = assert.rejects(store.ready(), { code: 'ERR_STORE_FAILED', message });
    t.mock.timers.tick(3_999);
    assert.equal(await Promise.race([refused, setImmediate('it waits')]), 'it waits');
    t.mock.timers.tick(1);
    assert.notEqual(await Promise.race([refused, setImmediate('it waits')]), 'it waits');
    t.mock.timers.reset();
    server.resume();
    while (!(await Promise.resolve(store.create('key', sampleRecord(now))).catch(() => false))) await delay(20);
  });

  it('that is down is not asked with every call: for a fifth of a second they fail with what the last attempt did', async t => {
    let attempts = 0;
    const listener = net.createServer(socket => {
      attempts++;
      socket.destroy();
    });
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    t.after(() => listener.close());
    const store = redisStore(`redis://127.0.0.1:${(listener.address() as net.AddressInfo).port}`);
    t.after(() => store.close());
    let time = performance.now();
    t.mock.method(performance, 'now', () => time);
    const refused = async () => assert.rejects(async () => store.read('key'), { message: /cannot be reached/ });
    await Promise.all([refused(), refused()]);
    assert.equal(attempts, 1, 'who comes while an attempt is under way waits for that one');
    time += 199;
    await refused();
    assert.equal(attempts, 1);
    time += 1;
    await refused();
    assert.equal(attempts, 2);
  });

  it('whose host vanishes: the connection is given up, and another one opened', async t => {
    const { network, store } = await overNetwork(t);
    await store.create('key', sampleRecord(now));
    network.silence();
    const lost = assert.rejects(async () => store.read('key'));
    await setImmediate();
    t.mock.timers.tick(5_000);
    t.mock.timers.tick(5_000);
    await lost;
    assert.equal((await store.read('key'))?.version, 1);
    // What was refused was not written: there is nothing to wait for.
    const refused = { ok: false, current: sampleRecord(now) };
    assert.deepEqual(await store.replace('key', sampleRecord(now, { version: 3 }), 2), refused);
  });
});

describe('redisStore on a Cluster that fails', { skip }, async () => {
  const cluster = await startRedisCluster({ appendonly: 'no' });
  after(() => cluster.stop());
  const nodeRedis = await clients.nodeRedisCluster(cluster);
  const ioRedis = await clients.ioRedisCluster(cluster);

  for (const [name, client] of Object.entries({ 'node-redis': nodeRedis, ioredis: ioRedis })) {
    it(`while a slot moves, a write waits until both its keys have moved (${name})`, async () => {
      const store = redisStore(client, { prefix: `moving-${name}:` });
      await store.create('key', sampleRecord(now));
      const bucket = `moving-${name}:{${BUCKET_OF_KEY}}`;
      const source = await cluster.masterOf(bucket);
      const target = cluster.nodes.find(node => node.role === 'master' && node !== source) as ClusterNode;
      const [[slot], [from], [to]] = await Promise.all([
        ask(source, ['CLUSTER', 'KEYSLOT', bucket]),
        ask(source, ['CLUSTER', 'MYID']),
        ask(target, ['CLUSTER', 'MYID']),
      ]);
      const set = (node: ClusterNode, ...words: string[]) => ask(node, ['CLUSTER', 'SETSLOT', `${slot}`, ...words]);
      const move = (key: string) => ask(source, ['MIGRATE', '127.0.0.1', `${target.port}`, key, '0', '1000']);
      await set(target, 'IMPORTING', `${from}`);
      await set(source, 'MIGRATING', `${to}`);
      assert.deepEqual(await move(`${bucket}:key`), ['OK']);
      const replaced = store.replace('key', sampleRecord(now, { version: 2 }), 1);
      await delay(100);
      assert.deepEqual(await move(bucket), ['OK']);
      for (const node of [target, source]) await set(node, 'NODE', `${to}`);
      assert.deepEqual(await replaced, { ok: true });
      assert.equal((await store.read('key'))?.version, 2);
    });
  }

  it('a master is killed: its replica takes over; with "wait" nothing is lost', async t => {
    const wait = { replicas: 1, timeout: '300ms' } as const;
    // While a connection waits for a replica it does nothing else: those who wait have their own.
    const stores = {
      'node-redis': redisStore(nodeRedis, { prefix: 'node-redis:' }),
      ioredis: redisStore(ioRedis, { prefix: 'ioredis:' }),
      'node-redis with wait': redisStore(await clients.nodeRedisCluster(cluster), { prefix: 'node-redis-wait:', wait }),
      'ioredis with wait': redisStore(await clients.ioRedisCluster(cluster), { prefix: 'ioredis-wait:', wait }),
    };
    const fail = async (loads: Loads): Promise<void> => {
      const masters = cluster.nodes.slice(0, 3);
      const held = await Promise.all(masters.map(master => ask(master, ['KEYS', '*:{*}:*'])));
      const stores = held.map(([keys]) => new Set((keys as string[]).map(key => key.split(':')[0])).size);
      const fullest = stores.indexOf(Math.max(...stores));
      const [master, replica] = [masters[fullest], cluster.nodes[3 + fullest]] as [ClusterNode, ClusterNode];
      await master.kill();
      // Started again before that, it would still be the master, of nothing. An answer may have been under way, so that
      // clients are served tells nothing yet.
      while (!/role:master/.test(String(await ask(replica, ['INFO', 'replication'])))) await delay(20);
      await served(t, { 'node-redis': loads['node-redis'] as Load, ioredis: loads['ioredis'] as Load });
      // The new master has no replica until the old one is back.
      await master.restart();
    };
    await underLoad(t, stores, fail, ['node-redis', 'ioredis']);
  });
});

describe('redisStore by Sentinel', { skip }, async () => {
  const sentinel = await startSentinel({ appendonly: 'no' });
  after(() => sentinel.stop());

  it('a pool waits on the connection that wrote', async () => {
    const pool = await clients.nodeRedisPool(sentinel.master.url, 4);
    const patient = redisStore(pool, { prefix: 'pool:', wait: { replicas: 1, timeout: '5s' } });
    // Each connection has written by then, and the replica has it: a WAIT on another than wrote would find that enough.
    for (let i = 0; i < 8; i++) await patient.create(`before ${i}`, sampleRecord(now));
    const store = redisStore(pool, { prefix: 'pool:', wait: { replicas: 1, timeout: '50ms' } });
    sentinel.replica.pause();
    try {
      const message = /only 0 of 1 replicas had it/;
      await assert.rejects(async () => store.create('key', sampleRecord(now)), { message });
    } finally {
      sentinel.replica.resume();
    }
  });

  it('the master is killed: the Sentinels name another', async t => {
    const stores = {
      'node-redis': redisStore(await clients.nodeRedisSentinel(sentinel), { prefix: 'node-redis:' }),
      ioredis: redisStore(await clients.ioRedisSentinel(sentinel), { prefix: 'ioredis:' }),
    };
    await underLoad(t, stores, () => sentinel.master.kill(), Object.keys(stores));
  });

  it('more replicas than there are', async () => {
    const wait = { replicas: 3, timeout: '50ms' } as const;
    const store = redisStore(await clients.nodeRedisSentinel(sentinel), { prefix: 'wait:', wait });
    const message = /The write is done, but only 0 of 3 replicas had it after 50 ms/;
    await assert.rejects(async () => store.create('key', sampleRecord(now)), { code: 'ERR_STORE_FAILED', message });
    assert.equal((await store.read('key'))?.version, 1);
    // What was refused was not written: there is nothing to wait for.
    const refused = { ok: false, current: sampleRecord(now) };
    assert.deepEqual(await store.replace('key', sampleRecord(now, { version: 3 }), 2), refused);
  });
});
