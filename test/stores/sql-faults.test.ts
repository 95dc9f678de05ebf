// What becomes of sessions when a server crashes, stops answering, or has no connection left: with clients that go on.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { SessionStore } from 'madeleine';
import { mysqlStore } from 'madeleine/mysql';
import { postgresStore } from 'madeleine/postgres';
import type { Server } from '../servers/daemon.ts';
import { startMariadb } from '../servers/mariadb.ts';
import { need } from '../servers/need.ts';
import { startPgBouncer, startPostgres } from '../servers/postgres.ts';
import { start } from '../support/process.ts';
import { type Load, type LoadReport, startLoad } from './support/load.ts';
import { sampleRecord } from './support/sample-record.js';
import { SERVERS, type Transaction } from './support/sql-servers.ts';

const now = Date.now();

interface Faulty {
  name: string;
  skip: string | false;
  /** The servers in the order of their start; the last is the one that the store talks to, and that fails. */
  start(): Promise<Server[]>;
  open(url: string): SessionStore;
}

const FAULTY: readonly Faulty[] = [
  {
    name: 'postgres',
    skip: need('postgres'),
    start: async () => [await startPostgres({ durable: true })],
    open: postgresStore,
  },
  {
    name: 'PgBouncer before postgres',
    skip: need('postgres', 'pgbouncer'),
    async start() {
      const postgres = await startPostgres({ durable: true });
      return [postgres, await startPgBouncer(postgres)];
    },
    open: postgresStore,
  },
  {
    name: 'mysql',
    skip: need('mariadb'),
    start: async () => [await startMariadb({ durable: true })],
    open: mysqlStore,
  },
];

/** What happens to a server while clients go on asking; afterwards it runs. */
const FAULTS: Record<string, (server: Server, load: Load) => Promise<void>> = {
  async 'kill -9 and a new start'(server, load) {
    await server.kill();
    await load.refused(3);
    await server.restart();
  },
  async 'no answer for seconds'(server, load) {
    server.pause();
    await load.refused(5);
    server.resume();
  },
  'an orderly restart': server => server.restart(),
};

function check(t: TestContext, recovery: number, report: LoadReport): void {
  const { acknowledged, refused, lost, wrong, hung, longest } = report;
  t.diagnostic(
    `${acknowledged} acknowledged, ${lost} lost, ${wrong} wrong, ${hung} hung, ${refused} refused, longest answer ${Math.round(longest)} ms, served again after ${Math.round(recovery)} ms`,
  );
  assert.deepEqual({ lost, wrong, hung }, { lost: 0, wrong: 0, hung: 0 });
}

/** How long it takes, in milliseconds, until every client is served again. */
async function recovered(load: Load): Promise<number> {
  const start = performance.now();
  await load.served(1);
  return performance.now() - start;
}

for (const { name, skip, start: startServers, open } of FAULTY) {
  describe(name, { skip }, () => {
    let servers: Server[] = [];
    let server: Server;
    before(async () => {
      servers = await startServers();
      server = servers.at(-1) as Server;
    });
    after(async () => {
      for (const running of servers.reverse()) await running.stop();
    });

    for (const [fault, fail] of Object.entries(FAULTS)) {
      test(`${fault}: what was acknowledged is there, and nobody waits for ever`, async t => {
        const load = await startLoad(open(server.url));
        await load.served(10);
        await fail(server, load);
        const recovery = await recovered(load);
        await load.served(10);
        check(t, recovery, await load.end());
      });
    }
  });
}

for (const server of SERVERS) {
  test(`${server.kind}: no connection left is said at once, and over as soon as there is one`, {
    skip: server.skip,
  }, async () => {
    const running = await server.start({ settings: { max_connections: 12 } });
    const store = server.open(running.url);
    const taken: Transaction[] = [];
    try {
      await assert.rejects(async () => {
        for (;;) taken.push(await server.begin(running.url));
      }, /too many/i);
      await assert.rejects(async () => store.read('key'), { code: 'ERR_STORE_FAILED', message: /no connection left/ });
      await taken.pop()?.commit();
      assert.equal(await store.read('key'), null);
    } finally {
      for (const transaction of taken) await transaction.commit();
      await store.close();
      await running.stop();
    }
  });
}

// A statement that nobody answers is given up after ten seconds; to wait for that once is enough. More than the pool has connections.
for (const [kind, busy] of [
  ['mysql', '40'],
  ['postgres', ''],
] as const) {
  const { skip, start: startServer } = SERVERS.find(server => server.kind === kind) as (typeof SERVERS)[number];
  test(`${kind}: a process that closes its sessions while the server hangs is over soon`, { skip }, async () => {
    const server = await startServer({});
    const script = fileURLToPath(new URL('support/closing-process.js', import.meta.url));
    const { child, kill } = await start(script, { KIND: kind, URL: server.url, BUSY: busy }, /(ready)/);
    const gone = once(child, 'exit', { signal: AbortSignal.timeout(20_000) });
    server.pause();
    child.kill('SIGTERM');
    try {
      assert.deepEqual(await gone, [0, null]);
    } finally {
      server.resume();
      if (child.exitCode === null) await kill();
      await server.stop();
    }
  });
}

for (const { kind, skip, start: startServer, open } of SERVERS) {
  test(`${kind}: while the server hangs, no more than ten thousand statements wait for it`, { skip }, async () => {
    const server = await startServer({});
    const store = open(server.url);
    await store.delete('key');
    server.pause();
    const waiting = Array.from({ length: 10_000 }, async () => store.delete('key'));
    try {
      for (const call of [() => store.delete('key'), () => store.read('key')]) {
        await assert.rejects(async () => call(), /^Error: 10000 calls wait for an answer of the server already$/);
      }
    } finally {
      server.resume();
      await Promise.allSettled(waiting);
    }
    assert.equal(await store.read('key'), null);
    await store.close();
    await server.stop();
  });
}

test('postgres: an unlogged table is empty after a crash, and goes on being used', {
  skip: need('postgres'),
}, async () => {
  const server = await startPostgres();
  const stores = [postgresStore(server.url, { table: 'fast', unlogged: true }), postgresStore(server.url)];
  for (const store of stores) await store.create('key', sampleRecord(now));
  await server.kill();
  await server.restart();
  const found = await Promise.all(stores.map(store => store.read('key')));
  assert.deepEqual(found, [null, sampleRecord(now)]);
  assert.equal(await stores[0]?.create('key', sampleRecord(now)), true);
  for (const store of stores) await store.close();
  await server.stop();
});
