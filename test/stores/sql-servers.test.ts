// What is the same for the stores over Postgres and over MySQL: the table, what is wrong with a server, connections.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setImmediate, setInterval } from 'node:timers/promises';
import type { Replaced, SessionRecord } from 'madeleine';
import { storeConformance } from 'madeleine/testing';
import type { SqlServer } from '../servers/sql-server.ts';
import { inProcesses } from './support/processes.ts';
import { runInProject } from './support/project.ts';
import { sampleRecord } from './support/sample-record.js';
import { SERVERS } from './support/sql-servers.ts';

const now = Date.now();

for (const server of SERVERS) {
  describe(`${server.kind}: the store on its server`, { skip: server.skip }, () => {
    let running: SqlServer;
    before(async () => {
      running = await server.start();
    });
    after(() => running?.stop());

    const count = async (url: string, sql: string) => Number((await server.run(url, sql))[0]?.['count']);
    /** Waits until so many transactions wait for a lock. */
    async function untilBlocked(url: string, transactions: number): Promise<void> {
      // InnoDB brings its table of transactions up to date when nobody has read it for a tenth of a second.
      for await (const _ of setInterval(150)) if ((await count(url, server.blocked)) >= transactions) return;
    }

    let tables = 0;
    storeConformance({
      name: `${server.kind}, by connection string`,
      open: () => server.open(running.url, { table: `conformance_${++tables}` }),
    });

    test('16 processes that start at once on an empty database all succeed, and make one table', async () => {
      const url = await running.createDatabase();
      await inProcesses(16, 'open', server.kind, url);
      const store = server.open(url);
      assert.equal(await store.admin.count(now), 16);
      await store.close();
    });

    test('stores that start at once make one table, time after time', async () => {
      for (let round = 0; round < 8; round++) {
        const stores = Array.from({ length: 16 }, () => server.open(running.url, { table: `round_${round}` }));
        const created = await Promise.all(stores.map((store, i) => store.create(`key-${i}`, sampleRecord(now))));
        assert.ok(created.every(Boolean));
        assert.equal(await stores[0]?.admin.count(now), 16);
        for (const store of stores) await store.close();
      }
    });

    test('processes that increment one counter at once lose nothing, and are never told what is out of date', async () => {
      const url = await running.createDatabase();
      const store = server.open(url);
      await store.create('counter', sampleRecord(now, { data: '0' }));
      await inProcesses(4, 'increment', server.kind, url);
      assert.deepEqual(await store.read('counter'), sampleRecord(now, { data: '1000', version: 1001 }));
      await store.close();
    });

    test('sessions of one table are not seen in another, whatever their names', async () => {
      const url = await running.createDatabase();
      const names = [
        'one',
        'One',
        'two words',
        'semi;colon',
        '"quoted"',
        '`ticked`',
        "o'clock",
        '日本',
        'a.b',
        '$1',
        '?',
      ];
      const stores = names.map(table => server.open(url, { table }));
      for (const [i, store] of stores.entries()) {
        assert.equal(await store.create('key', sampleRecord(now, { data: `${i}` })), true, names[i]);
      }
      for (const [i, store] of stores.entries()) {
        assert.equal((await store.read('key'))?.data, `${i}`);
        await store.close();
      }
    });

    test('what is wrong with the connection string shows at construction, without the password in it', () => {
      for (const url of ['', 'localhost', 'secret@host', 'http://u:secret@host/db', 'redis://u:secret@host']) {
        assert.throws(
          () => server.open(url),
          (error: { code: string; message: string }) => {
            assert.equal(error.code, 'ERR_STORE_INVALID');
            assert.match(error.message, new RegExp(`Give one such as ${server.kind}://`));
            assert.ok(!error.message.includes('secret'));
            return true;
          },
        );
      }
    });

    test('what is no pool, and wrong options, show at construction', () => {
      const open = server.open as (pool: unknown, options?: object) => unknown;
      for (const wrong of [undefined, null, 1, {}, new URL(running.url)]) {
        assert.throws(() => open(wrong), {
          code: 'ERR_STORE_INVALID',
          message: /neither a connection string nor a pool/,
        });
      }
      for (const table of ['', ' ', 'nul\0', 'long'.repeat(16), 7, null]) {
        assert.throws(() => open(running.url, { table }), { code: 'ERR_OPTION_INVALID', message: /"table"/ });
      }
      assert.throws(() => open(running.url, { tabel: 'x' }), { code: 'ERR_OPTION_UNKNOWN', message: /"table"/ });
    });

    test('a driver that is not installed is named, and with a pool none is needed', () => {
      const script = `
        const { ${server.kind}Store: open } = await import('madeleine/${server.kind}');
        open({ query() {}, getConnection() {} });
        try { open('${server.kind}://host/database'); } catch (error) { console.log(error.message); }`;
      assert.match(
        runInProject(script),
        /^The package "(pg|mysql2)" is not installed.*npm install \1 \(ERR_DRIVER_MISSING\)\n$/,
      );
    });

    test('docs/stores.md: its example runs', async () => {
      const text = readFileSync('docs/stores.md', 'utf8');
      const blocks = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(match => match[1] as string);
      const example = blocks.find(block => block.includes(`'madeleine/${server.kind}'`));
      const script = `${example}\nconsole.log(await store.read('key')); await store.close(); await pool.end();`;
      const env = { ...process.env, DATABASE_URL: await running.createDatabase() };
      const options = { env, encoding: 'utf8' as const, timeout: 20_000 };
      assert.equal(execFileSync(process.execPath, ['--input-type=module', '--eval', script], options), 'null\n');
    });

    /** What `ready` and every call reject with, which an application would log. */
    async function refusal(url: string): Promise<{ code: string; message: string; cause?: unknown }> {
      const store = server.open(url);
      const [ready, read] = await Promise.allSettled([store.ready(), store.read('key')]);
      await store.close();
      assert.ok(ready.status === 'rejected' && read.status === 'rejected');
      assert.equal(ready.reason.code, read.reason.code);
      assert.ok(ready.reason.cause instanceof Error);
      return ready.reason;
    }

    test('wrong user, wrong password, no such database, no server: each says so', async () => {
      const changed = (change: (url: URL) => void) => {
        const url = new URL(running.url);
        change(url);
        return url.href;
      };
      const cases: Array<[change: (url: URL) => void, code: string, message: RegExp]> = [
        [url => (url.password = 'wrong'), 'ERR_STORE_INVALID', /refuses.*Correct.*password/],
        [url => (url.username = 'wrong'), 'ERR_STORE_INVALID', /refuses.*Correct.*user/],
        [url => (url.pathname = '/absent'), 'ERR_STORE_INVALID', /does not exist.*CREATE DATABASE/],
        [url => (url.port = String(closedPort)), 'ERR_STORE_FAILED', /cannot be reached.*host and port/],
        [url => (url.hostname = 'host.invalid'), 'ERR_STORE_FAILED', /cannot be reached.*host and port/],
      ];
      const closedPort = await unusedPort();
      for (const [change, code, message] of cases) {
        const error = await refusal(changed(change));
        assert.equal(error.code, code, error.message);
        assert.match(error.message, message);
      }
    });

    test('missing rights are named, and once they are given the next call succeeds', async () => {
      const url = await running.createDatabase();
      const user = `limited_${new URL(url).pathname.slice(1)}`;
      await server.run(url, server.createUser(user));
      const store = server.open(Object.assign(new URL(url), { username: user, password: 'secret' }).href);
      const missing = { code: 'ERR_STORE_INVALID', message: /lacks rights.*GRANT SELECT, INSERT, UPDATE, DELETE/ };
      await assert.rejects(async () => store.read('key'), missing);
      const owner = server.open(url);
      await owner.create('key', sampleRecord(now));
      await assert.rejects(async () => store.read('key'), missing);
      await server.run(url, server.grantAll(user));
      assert.deepEqual(await store.read('key'), sampleRecord(now));
      await owner.close();
      await store.close();
    });

    test('a server that is too old is refused', async () => {
      for (const version of server.kind === 'postgres' ? ['9.6.24', '10.23'] : ['5.7.44', '10.2.44-MariaDB']) {
        await assert.rejects(server.openOld(version).ready(), {
          code: 'ERR_STORE_INVALID',
          message: /too old.*or later/,
        });
      }
    });

    test('a table that is not ours, or of a newer madeleine, is refused and left as it was', async () => {
      const url = await running.createDatabase();
      const store = server.open(url);
      await store.create('key', sampleRecord(now));
      await server.run(url, server.setComment('madeleine schema 99'));
      const newer = server.open(url);
      await assert.rejects(newer.ready(), { code: 'ERR_STORE_INVALID', message: /version 99.*up to 1.*update/ });
      await newer.close();
      // A dump without comments loses the version: then it is the first.
      await server.run(url, server.setComment(''));
      const restored = server.open(url);
      assert.deepEqual(await restored.read('key'), sampleRecord(now));
      await restored.close();
      await store.close();

      const other = await running.createDatabase();
      await server.run(other, 'CREATE TABLE madeleine_sessions (id int)');
      const foreign = server.open(other);
      await assert.rejects(async () => foreign.read('key'), {
        code: 'ERR_STORE_INVALID',
        message: /not one that madeleine made.*option "table"/,
      });
      await foreign.close();
      assert.deepEqual(await server.run(other, 'SELECT * FROM madeleine_sessions'), []);
    });

    test('a table that was dropped under a running store is made again', async () => {
      const url = await running.createDatabase();
      const store = server.open(url);
      await store.create('key', sampleRecord(now));
      await server.run(url, 'DROP TABLE madeleine_sessions');
      await assert.rejects(async () => store.read('key'));
      assert.equal(await store.read('key'), null);
      assert.equal(await store.create('key', sampleRecord(now)), true);
      await store.close();
    });

    test('close ends the connections that the store opened, and no others', async () => {
      const url = await running.createDatabase();
      const connected = () => count(url, server.connections);
      const store = server.open(url);
      await Promise.all(Array.from({ length: 20 }, () => store.delete('key')));
      assert.ok((await connected()) > 1);
      const asked = Promise.all(Array.from({ length: 20 }, () => [store.read('key'), store.delete('key')]).flat());
      await store.close();
      await store.close();
      assert.deepEqual(new Set(await asked), new Set([null, false]));
      while ((await connected()) > 0);
      await assert.rejects(async () => store.read('key'));

      const own = server.openPool(url);
      await own.store.read('key');
      await own.store.close();
      await own.run('SELECT 1');
      await own.end();
    });

    test('close waits for a call to its end, also where that takes several statements', async () => {
      const url = await running.createDatabase();
      const first = server.open(url);
      const [created] = await Promise.all([first.create('key', sampleRecord(now)), first.close()]);
      assert.equal(created, true);
      const store = server.open(url);
      await store.ready();
      const refused = store.replace('key', sampleRecord(now, { version: 9 }), 8);
      const [replaced] = await Promise.all([refused, store.close()]);
      assert.deepEqual(replaced, { ok: false, current: sampleRecord(now) });
    });

    test('a replace that waits for another transaction sees what has become of the session', async () => {
      const url = await running.createDatabase();
      const store = server.open(url);
      const mine = sampleRecord(now, { version: 2, data: '"mine"' });
      const theirs = sampleRecord(now, { version: 2, data: '"theirs"' });
      const cases: Array<[sql: string, replaced: Replaced, left: SessionRecord | null]> = [
        [`SET version = 2, data = '"theirs"'`, { ok: false, current: theirs }, theirs],
        ['SET last_seen_at = last_seen_at + 1', { ok: true }, mine],
        ['', { ok: false, current: null }, null],
      ];
      for (const [change, replaced, left] of cases) {
        await store.create('waited-for', sampleRecord(now));
        const other = await server.begin(url);
        await other.run(change ? `UPDATE madeleine_sessions ${change}` : 'DELETE FROM madeleine_sessions');
        const waiting = store.replace('waited-for', mine, 1);
        await untilBlocked(url, 1);
        await other.commit();
        assert.deepEqual(await waiting, replaced);
        assert.deepEqual(await store.read('waited-for'), left);
        await store.delete('waited-for');
      }
      await store.close();
    });

    test('what the server undid because of a deadlock is done again', async () => {
      const url = await running.createDatabase();
      const store = server.open(url);
      for (const key of ['a', 'b', 'c']) await store.create(key, sampleRecord(now, { userId: 'me' }));
      for (let i = 0; i < 20; i++) await store.create(`weight-${i}`, sampleRecord(now));
      const touch = (where: string) => `UPDATE madeleine_sessions SET last_seen_at = last_seen_at + 1 WHERE ${where}`;
      const [one, two] = [await server.begin(url), await server.begin(url)];
      await one.run(touch(`${server.key} = 'b'`));
      // MySQL gives up the transaction that has changed less.
      await two.run(touch(`${server.key} LIKE 'weight-%'`));
      await two.run(touch(`${server.key} = 'c'`));
      const deleted = store.admin.deleteByUser('me');
      await untilBlocked(url, 1);
      const touched = two.run(touch(`${server.key} = 'a'`));
      await untilBlocked(url, 2);
      // Now it holds a and b, and wants c; two holds c, and wants a.
      await one.commit();
      await touched;
      await two.commit();
      assert.equal(await deleted, 3);
      await store.close();
    });

    test('what the server undoes again and again is sent eight times, and then fails', async () => {
      const url = await running.createDatabase();
      const { store, statements, end } = server.openPool(url);
      await store.create('key', sampleRecord(now));
      await server.run(url, server.undoUpdates);
      const before = statements();
      await assert.rejects(async () => store.replace('key', sampleRecord(now, { version: 2 }), 1), {
        code: /^(40001|ER_LOCK_DEADLOCK)$/,
      });
      assert.equal(statements() - before, 8);
      await end();
    });

    test('a connection that does not answer for ten seconds is given up, and another takes its place', async t => {
      const url = await running.createDatabase();
      const { store, end } = server.openPool(url, 1);
      await store.create('key', sampleRecord(now));
      const other = await server.begin(url);
      await other.run('UPDATE madeleine_sessions SET version = 2');
      t.mock.timers.enable({ apis: ['setTimeout'] });
      const waiting = assert.rejects(
        async () => store.replace('key', sampleRecord(now, { version: 2 }), 1),
        /timeout|not answer/,
      );
      await untilBlocked(url, 1);
      t.mock.timers.tick(9_900);
      assert.equal(await Promise.race([waiting, 'it waits']), 'it waits');
      t.mock.timers.tick(100);
      await waiting;
      t.mock.timers.reset();
      assert.deepEqual(await store.read('key'), sampleRecord(now));
      await other.commit();
      await end();
    });

    test('a connection that the store opens is given up after five seconds, and the next call opens another', async t => {
      const store = server.open(await running.createDatabase());
      running.pause();
      t.after(() => running.resume());
      t.mock.timers.enable({ apis: ['setTimeout'] });
      const refused = assert.rejects(store.ready(), server.kind === 'mysql' ? /cannot be reached/ : /timeout/);
      t.mock.timers.tick(4_999);
      assert.equal(await Promise.race([refused, setImmediate('it waits')]), 'it waits');
      t.mock.timers.tick(1);
      await refused;
      t.mock.timers.reset();
      running.resume();
      assert.equal(await store.create('key', sampleRecord(now)), true);
      await store.close();
    });

    test('the sessions of a user, and those that have expired, are found by an index', async () => {
      const url = await running.createDatabase();
      const store = server.open(url);
      for (const user of ['ada', 'bob', 'eve']) await store.create(user, sampleRecord(now, { userId: user }));
      const setup = server.kind === 'postgres' ? ['SET enable_seqscan = off'] : [];
      const explained = async (where: string) =>
        JSON.stringify(await server.run(url, ...setup, `EXPLAIN SELECT * FROM madeleine_sessions WHERE ${where}`));
      assert.match(await explained("user_id = 'ada'"), /madeleine_sessions_user_id_idx|"possible_keys":"user_id"/);
      assert.match(
        await explained(`expires_at <= ${now}`),
        /madeleine_sessions_expires_at_idx|"possible_keys":"expires_at"/,
      );
      await store.close();
    });

    test('a name is measured in bytes, as the server would cut it short: 63 are taken', async () => {
      const url = await running.createDatabase();
      const [longest, other] = ['é'.repeat(31), `${'é'.repeat(30)}ab`].map(table =>
        server.open(url, { table: `${table}x` }),
      );
      for (const store of [longest, other]) assert.equal(await store?.create('key', sampleRecord(now)), true);
      for (const store of [longest, other]) await store?.close();
      assert.throws(() => server.open(url, { table: 'é'.repeat(32) }), { code: 'ERR_OPTION_INVALID' });
    });

    test('every call is one statement, but for a write that lost a race', async () => {
      const { store, statements, end } = server.openPool(await running.createDatabase());
      await store.create('key', sampleRecord(now, { userId: 'me' }));
      const counts: Record<string, number> = {};
      for (const [name, call] of Object.entries({
        read: () => store.read('key'),
        create: () => store.create('other', sampleRecord(now)),
        replace: () => store.replace('key', sampleRecord(now, { version: 2 }), 1),
        refused: () => store.replace('key', sampleRecord(now, { version: 2 }), 1),
        touch: () => store.touch('key', now + 1, now + 3_600_001),
        delete: () => store.delete('key'),
      })) {
        const before = statements();
        await call();
        counts[name] = statements() - before;
      }
      assert.deepEqual(counts, { read: 1, create: 1, replace: 1, refused: 2, touch: 1, delete: 1 });
      await store.close();
      await end();
    });

    test('what is read in one turn is asked for at once, and everybody gets their own', async () => {
      const { store, statements, end } = server.openPool(await running.createDatabase());
      const keys = Array.from({ length: 130 }, (_, i) => `key-"\\'{${i}},日本`);
      const records = keys.map((_, i) => sampleRecord(now, { data: `"${'x'.repeat(i * 50)}"`, userId: `user-${i}` }));
      await Promise.all(keys.map((key, i) => i % 3 !== 0 && store.create(key, records[i] as SessionRecord)));
      const expected = records.map((record, i) => (i % 3 === 0 ? null : record));
      for (const [most, asked] of [
        [1, 1],
        [2, 1],
        [3, 1],
        [64, 1],
        [65, 2],
        [130, 3],
      ] as const) {
        const before = statements();
        const found = await Promise.all(keys.slice(0, most).map(key => store.read(key)));
        assert.deepEqual(found, expected.slice(0, most));
        assert.equal(statements() - before, asked, `${most} reads`);
      }
      const [one, same] = await Promise.all([store.read(keys[1] as string), store.read(keys[1] as string)]);
      assert.deepEqual(one, same);
      assert.notEqual(one, same, 'to change the one would change the other');
      await store.close();
      await end();
    });

    test('reads that fail together fail once: the next turn asks again', async () => {
      const url = await running.createDatabase();
      const store = server.open(url);
      await store.create('key', sampleRecord(now));
      await server.run(url, 'DROP TABLE madeleine_sessions');
      const failed = await Promise.allSettled(['key', 'key', 'other'].map(key => store.read(key)));
      assert.deepEqual(
        failed.map(({ status }) => status),
        ['rejected', 'rejected', 'rejected'],
      );
      assert.deepEqual(await Promise.all(['key', 'other'].map(key => store.read(key))), [null, null]);
      await store.close();
    });
  });
}

async function unusedPort(): Promise<number> {
  const listening = net.createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => listening.once('listening', resolve));
  const { port } = listening.address() as net.AddressInfo;
  await new Promise(resolve => listening.close(resolve));
  return port;
}
