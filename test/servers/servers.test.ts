// The servers that other tests stand on: each starts, answers, keeps its data and halts.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type Server, until } from './daemon.ts';
import { startMariadb } from './mariadb.ts';
import { need } from './need.ts';
import { startPgBouncer, startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import { type RedisCluster, startRedisCluster } from './redis-cluster.ts';
import { type RedisSentinel, startSentinel } from './redis-sentinel.ts';
import type { SqlServer } from './sql-server.ts';
import { PROBES } from './support/probes.ts';

interface AnyServer extends Server {
  createDatabase(): string | Promise<string>;
}

const KINDS: Array<{
  kind: 'redis' | 'postgres' | 'mariadb';
  start(): Promise<AnyServer>;
  /** Started with options, and the settings that say so. */
  withOptions(): Promise<Server>;
  settings: Record<string, string>;
}> = [
  {
    kind: 'redis',
    start: () => startRedis({ appendonly: 'always' }),
    withOptions: () => startRedis({ appendonly: 'always', password: 'p@ss', settings: { maxclients: 20 } }),
    settings: { maxclients: '20', appendfsync: 'always', requirepass: 'p@ss' },
  },
  {
    kind: 'postgres',
    start: () => startPostgres(),
    withOptions: () => startPostgres({ durable: true, settings: { max_connections: 20 } }),
    settings: { max_connections: '20', fsync: 'on' },
  },
  {
    kind: 'mariadb',
    start: () => startMariadb(),
    withOptions: () => startMariadb({ durable: true, settings: { max_connections: 20 } }),
    settings: { max_connections: '20', innodb_flush_log_at_trx_commit: '1' },
  },
];

for (const { kind, start: startServer, withOptions, settings } of KINDS) {
  describe(`${kind}`, { skip: need(kind) }, () => {
    const probe = PROBES[kind];
    let server: AnyServer;
    before(async () => {
      server = await startServer();
    });
    after(() => server?.stop());

    it('keeps its data and its port over a restart and a crash', async () => {
      const { url } = server;
      await probe.write(url, 'kept');
      await server.restart();
      assert.equal(await probe.read(url), 'kept');
      await server.kill();
      await assert.rejects(probe.read(url));
      await server.restart();
      assert.equal(await probe.read(url), 'kept');
    });

    it('answers nothing while it is paused, and goes on when it is resumed', async () => {
      server.pause();
      const answer = probe.read(server.url).then(() => 'answered');
      assert.equal(await Promise.race([answer, delay(300, 'silent')]), 'silent');
      server.resume();
      assert.equal(await answer, 'answered');
    });

    it('gives databases that know nothing of each other', async () => {
      const [one, two] = [await server.createDatabase(), await server.createDatabase()];
      await probe.write(one, 'one');
      assert.equal(await probe.read(two), undefined);
      assert.equal(await probe.read(one), 'one');
    });

    it('starts beside another of its kind, with options', async () => {
      const other = await withOptions();
      assert.notEqual(other.port, server.port);
      for (const [name, value] of Object.entries(settings))
        assert.equal(await probe.setting(other.url, name), value, name);
      await other.stop();
      await assert.rejects(probe.read(other.url));
    });
  });
}

it('a paused postgres answers nothing on the connections that it has', { skip: need('postgres') }, async () => {
  const postgres = await startPostgres();
  const client = new pg.Client(postgres.url);
  await client.connect();
  postgres.pause();
  const answer = client.query('SELECT 1').then(() => 'answered');
  assert.equal(await Promise.race([answer, delay(300, 'silent')]), 'silent');
  postgres.resume();
  assert.equal(await answer, 'answered');
  await client.end();
  await postgres.stop();
});

describe('pgbouncer', { skip: need('postgres', 'pgbouncer') }, () => {
  let postgres: SqlServer;
  let bouncer: Server;
  before(async () => {
    postgres = await startPostgres();
    bouncer = await startPgBouncer(postgres, { default_pool_size: 1 });
  });
  after(() => Promise.all([bouncer?.stop(), postgres?.stop()]));

  it('lends one server connection to each transaction in turn', async () => {
    const clients = [new pg.Client(bouncer.url), new pg.Client(bouncer.url)];
    const pids = new Set<number>();
    for (const client of clients) await client.connect();
    for (const client of [...clients, ...clients]) {
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
      pids.add(rows[0].pid);
    }
    for (const client of clients) await client.end();
    assert.equal(pids.size, 1);
  });
});

describe('redis cluster', { skip: need('redis') }, () => {
  let cluster: RedisCluster;
  before(async () => {
    cluster = await startRedisCluster();
  });
  after(() => cluster?.stop());

  it('has three masters that share all keys, and a replica for each', async () => {
    assert.deepEqual(
      cluster.nodes.map(node => node.role),
      ['master', 'master', 'master', 'replica', 'replica', 'replica'],
    );
    const master = await cluster.masterOf('probe');
    for (const node of cluster.nodes.filter(node => node.role === 'master')) {
      if (node === master) await PROBES.redis.write(node.url, 'here');
      else await assert.rejects(PROBES.redis.write(node.url, 'there'), /MOVED/);
    }
  });

  it('knows the master of a key while it is paused, and the new one after a failover', async () => {
    const old = await cluster.masterOf('probe');
    old.pause();
    assert.equal(await cluster.masterOf('probe'), old);
    await old.kill();
    await until('another master', async () => (await cluster.masterOf('probe')) !== old);
    await PROBES.redis.write((await cluster.masterOf('probe')).url, 'here now');
    await old.restart();
    await cluster.ready();
  });
});

describe('redis sentinel', { skip: need('redis') }, () => {
  let sentinel: RedisSentinel;
  before(async () => {
    sentinel = await startSentinel({ password: 'secret' });
  });
  after(() => sentinel?.stop());

  it('puts the replica in the place of a master that is gone', async () => {
    assert.equal(await sentinel.currentMaster(), sentinel.master);
    await sentinel.master.kill();
    await until('another master', async () => (await sentinel.currentMaster()) === sentinel.replica);
    await until('it to take writes', () => PROBES.redis.write(sentinel.replica.url, 'here').then(() => true));
  });
});

describe('a server that is not installed', () => {
  const { env } = process;
  before(() => {
    process.env = { ...env, PATH: '', MADELEINE_REDIS_SERVER: '' };
  });
  after(() => {
    process.env = env;
  });

  it('is a reason to skip, which names it', () => {
    process.env['CI'] = '';
    assert.match(String(need('redis')), /^not installed: redis /);
  });

  it('is a failure in CI', () => {
    process.env['CI'] = 'true';
    assert.throws(() => need('redis'), /not installed: redis/);
  });
});

it('a server that does not start says why', { skip: need('redis') }, async () => {
  await assert.rejects(startRedis({ settings: { nonsense: 'yes' } }), /nonsense/);
});
