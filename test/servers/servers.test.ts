// The servers that other tests stand on: each starts, answers, keeps its data, halts, and leaves nothing behind.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type Running, start } from '../support/process.ts';
import { type Server, until } from './daemon.ts';
import { startMariadb } from './mariadb.ts';
import { need } from './need.ts';
import { type PostgresServer, startPgBouncer, startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import { type RedisCluster, startRedisCluster } from './redis-cluster.ts';
import { type RedisSentinel, startSentinel } from './redis-sentinel.ts';
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

describe('pgbouncer', { skip: need('postgres', 'pgbouncer') }, () => {
  let postgres: PostgresServer;
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

describe('a process that holds servers', () => {
  const script = path.join(import.meta.dirname, 'support/holder.js');
  let tmp: string;
  beforeEach(() => {
    tmp = mkdtempSync(path.join(os.tmpdir(), 'held-'));
    chmodSync(tmp, 0o755);
  });
  afterEach(() => rmSync(tmp, { recursive: true, force: true }));

  const hold = (kind: string, pattern: RegExp, state = ''): Promise<Running> =>
    start(script, { TMPDIR: tmp, HOLD: kind, HOLD_STATE: state }, pattern);

  for (const { kind } of KINDS) {
    const skip = need(kind, ...(kind === 'postgres' ? (['pgbouncer'] as const) : []));

    for (const state of ['starting', 'running', 'paused']) {
      it(`killed while ${kind} is ${state}, leaves nothing`, { skip }, async () => {
        const held = await hold(kind, state === 'starting' ? /starting/ : /holds/, state);
        if (state === 'starting') await until('the first program', () => descendants(held.child.pid!).length >= 2);
        const left = [...descendants(held.child.pid!)];
        const memory = sharedMemory(tmp);
        if (kind === 'postgres' && state !== 'starting') assert.equal(memory.length, 1);
        assert.ok(left.length >= 2, 'a keeper and a server');
        await held.kill();
        await until('the keeper', () => readdirSync(tmp).length === 0 && left.every(pid => !runs(pid)));
        assert.ok(memory.every(id => !allSharedMemory().includes(id)));
      });
    }

    it(`stops ${kind} and leaves nothing but the keeper`, { skip }, async () => {
      const held = await hold(kind, /holds/);
      const before = descendants(held.child.pid!);
      const memory = sharedMemory(tmp);
      const home = path.join(tmp, readdirSync(tmp)[0]!);
      assert.notDeepEqual(readdirSync(home), []);
      held.child.kill('SIGUSR2');
      await until('the servers', () => readdirSync(home).length === 0 && before.filter(runs).length === 1);
      assert.ok(memory.every(id => !allSharedMemory().includes(id)));
      await held.kill();
      await until('the keeper', () => readdirSync(tmp).length === 0);
    });

    it(`starts ${kind} beside other processes that do so at the same moment`, { skip }, async () => {
      const all = await Promise.all([1, 2, 3].map(() => hold(kind, /holds (.*)/)));
      const urls = all.flatMap(held => held.found.split(' '));
      assert.equal(new Set(urls).size, urls.length);
      await Promise.all(all.map(held => held.kill()));
      await until('the keepers', () => readdirSync(tmp).length === 0);
    });
  }
});

const processes = (): Array<{ pid: number; parent: number; state: string }> =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(line => line.trim().split(/ +/))
    .map(([pid, parent, state = '']) => ({ pid: Number(pid), parent: Number(parent), state }));

function descendants(pid: number): number[] {
  const all = processes();
  const below = (parent: number): number[] =>
    all.filter(one => one.parent === parent).flatMap(one => [one.pid, ...below(one.pid)]);
  return below(pid);
}

/** A zombie does not run: it waits for the first process of the system to notice. */
const runs = (pid: number): boolean => processes().some(one => one.pid === pid && !one.state.startsWith('Z'));

const allSharedMemory = (): string[] =>
  execFileSync('ipcs', ['-m'], { encoding: 'utf8' })
    .split('\n')
    .map(line => line.split(/ +/)[1] ?? '');

/** The segments of the Postgres servers in a folder, by what their lock files say. */
const sharedMemory = (folder: string): string[] =>
  readdirSync(folder, { recursive: true })
    .map(file => path.join(folder, String(file)))
    .filter(file => file.endsWith('postmaster.pid'))
    .map(file => readFileSync(file, 'utf8').split('\n')[6]?.trim().split(/ +/)[1] ?? '');

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
