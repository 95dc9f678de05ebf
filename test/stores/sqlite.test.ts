import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, it, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { RequestHandler } from 'express';
import { type SqliteDatabase, type SqliteStoreOptions, sqliteStore } from 'madeleine/sqlite';
import { storeConformance } from 'madeleine/testing';
import { serveRoutes } from '../support/routes.ts';
import { temporaryFiles, temporaryFolder } from '../support/temporary-files.ts';
import { childScript, inProcesses } from './support/processes.ts';
import { runInProject } from './support/project.ts';
import { sampleRecord } from './support/sample-record.js';

type Driver = new (file: string) => SqliteDatabase;

const require = createRequire(import.meta.url);
const BetterSqlite = betterSqlite();
const builtin = process.getBuiltinModule?.('node:sqlite') as { DatabaseSync: Driver } | undefined;
const Default = builtin?.DatabaseSync ?? BetterSqlite!;
assert.ok(Default, 'there is no SQLite here: npm install better-sqlite3');

const folder = temporaryFolder();
const freshFile = temporaryFiles('.db', folder);
const now = Date.now();

storeConformance({ name: 'sqliteStore(file)', open: () => sqliteStore(freshFile()) });
storeConformance({ name: "sqliteStore(':memory:')", open: () => sqliteStore(':memory:') });
for (const [name, Handle] of Object.entries({ 'better-sqlite3': BetterSqlite, 'node:sqlite': builtin?.DatabaseSync })) {
  const title = `sqliteStore(${name} handle)`;
  if (Handle) storeConformance({ name: title, open: () => sqliteStore(new Handle(freshFile())) });
  else test(title, { skip: `${name} does not load in Node ${process.version}` }, () => {});
}

function betterSqlite(): Driver | undefined {
  try {
    const Database = require('better-sqlite3') as Driver;
    new Database(':memory:').close();
    return Database;
  } catch {
    return undefined;
  }
}

test('what was written is there when the file is opened again', () => {
  const file = freshFile();
  const first = sqliteStore(file);
  first.create('key', sampleRecord(now, { userId: 'user' }));
  first.close();
  const second = sqliteStore(file);
  assert.deepEqual(second.read('key'), sampleRecord(now, { userId: 'user' }));
  second.close();
});

test('processes that increment one counter at once lose nothing', async () => {
  const file = freshFile();
  const store = sqliteStore(file);
  store.create('counter', sampleRecord(now, { data: '0' }));
  await inProcesses(4, 'increment', 'sqlite', file);
  assert.deepEqual(store.read('counter'), sampleRecord(now, { data: '1000', version: 1001 }));
  store.close();
});

test('processes that start at once on a new file all succeed, and make one schema', async () => {
  for (let round = 0; round < 5; round++) {
    const file = freshFile();
    await inProcesses(8, 'open', 'sqlite', file);
    const store = sqliteStore(file);
    assert.equal(store.admin.count(now), 8);
    store.close();
  }
});

test('a start on a file that another process writes to, before it is in WAL mode, waits for that', async context => {
  const file = freshFile();
  const failed = new Int32Array(new SharedArrayBuffer(4));
  const load = builtin ? "process.getBuiltinModule('node:sqlite').DatabaseSync" : "require('better-sqlite3')";
  const script = `
    const { parentPort, workerData: { file, failed } } = require('node:worker_threads');
    const database = new (${load})(file);
    database.exec('BEGIN IMMEDIATE; CREATE TABLE orders (id INTEGER)');
    parentPort.postMessage('it writes');
    Atomics.wait(failed, 0, 0);
    database.exec('COMMIT');
    database.close();`;
  const writer = new Worker(script, { eval: true, workerData: { file, failed } });
  await once(writer, 'message');
  const exec = Default.prototype.exec as SqliteDatabase['exec'];
  context.mock.method(Default.prototype as SqliteDatabase, 'exec', function (this: SqliteDatabase, sql: string) {
    try {
      return exec.call(this, sql);
    } catch (error) {
      // The store waits without leaving the event loop: the other one has to be told in another way.
      Atomics.store(failed, 0, 1);
      Atomics.notify(failed, 0);
      throw error;
    }
  });
  const store = sqliteStore(file);
  assert.equal(failed[0], 1);
  assert.equal(store.create('key', sampleRecord(now)), true);
  store.close();
});

test('kill -9: every write that was acknowledged is there', async () => {
  const file = freshFile();
  const child: ChildProcess = fork(childScript, ['write', 'sqlite', file], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  child.send('start');
  let output = '';
  for await (const chunk of child.stdout!) {
    output += chunk;
    if (output.length > 3_000) child.kill('SIGKILL');
  }
  assert.equal(child.signalCode ?? (await once(child, 'exit'))[1], 'SIGKILL');

  const acknowledged = output.split('\n').slice(0, -1).map(Number);
  assert.ok(acknowledged.length > 500);
  const store = sqliteStore(file);
  for (const i of acknowledged) {
    const expected = i % 5 === 0 ? undefined : i % 3 === 0 ? 2 : 1;
    assert.equal((store.read(`key-${i}`) as { version: number } | null)?.version, expected, `key-${i}`);
  }
  store.close();
});

test('the file and its companions can be read by their owner only', { skip: process.platform === 'win32' }, () => {
  const file = freshFile();
  const store = sqliteStore(file);
  store.create('key', sampleRecord(now));
  for (const suffix of ['', '-wal', '-shm']) assert.equal(statSync(file + suffix).mode & 0o777, 0o600, suffix);
  store.close();
});

test('the mode of an existing file is left alone', { skip: process.platform === 'win32' }, () => {
  const file = freshFile();
  writeFileSync(file, '');
  chmodSync(file, 0o640);
  sqliteStore(file).close();
  assert.equal(statSync(file).mode & 0o777, 0o640);
});

test('a path is a path, not a URI', () => {
  const before = process.cwd();
  process.chdir(folder);
  try {
    const first = sqliteStore('file:odd.db?mode=memory');
    first.create('key', sampleRecord(now));
    first.close();
    const second = sqliteStore(path.join(folder, 'file:odd.db?mode=memory'));
    assert.notEqual(second.read('key'), null);
    second.close();
  } finally {
    process.chdir(before);
  }
});

test('an unusable path is refused at once, with the reason and what to do', () => {
  const text = freshFile();
  writeFileSync(text, 'this is not a database, it is a recipe for little cakes\n'.repeat(100));
  const cases: Array<[string, RegExp]> = [
    [path.join(folder, 'absent', 'sessions.db'), /no such file or directory.*folder that exists/],
    [folder, /unable to open database file.*path of a file/],
    [text, /file is not a database.*give another path/],
    ['', /empty/],
    ['nul\0.db', /null bytes/],
  ];
  for (const [file, message] of cases) {
    assert.throws(
      () => sqliteStore(file),
      (error: { code: string; message: string; remedy: string; cause?: unknown }) => {
        assert.equal(error.code, 'ERR_STORE_INVALID');
        assert.match(error.message, message);
        assert.ok(file === '' || error.cause instanceof Error);
        return true;
      },
    );
  }
  assert.match(readFileSync(text, 'utf8'), /^this is not a database/, 'the file is left as it was');
});

test('a file of a newer madeleine is refused, and left as it was', () => {
  const file = freshFile();
  sqliteStore(file).close();
  const database = new Default(file);
  database.exec('UPDATE madeleine_schema SET version = 99');
  for (const opened of [file, database]) {
    assert.throws(() => sqliteStore(opened), {
      code: 'ERR_STORE_INVALID',
      message: /version 99.*versions up to 1.*update/,
    });
  }
  assert.equal((database.prepare('SELECT version FROM madeleine_schema').get() as { version: number }).version, 99);
  database.exec('BEGIN IMMEDIATE; ROLLBACK');
  database.close();
});

test('a start on a full disk is refused with that reason, though SQLite has ended the transaction', () => {
  const database = new Default(freshFile());
  database.exec(`
    CREATE TABLE madeleine_schema (version INTEGER NOT NULL) STRICT;
    CREATE TRIGGER full BEFORE INSERT ON madeleine_schema BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END`);
  assert.throws(() => sqliteStore(database), { code: 'ERR_STORE_INVALID', message: /disk is full.*Make room/ });
  database.close();
});

test('a start on a file that has the schema writes nothing', () => {
  const file = freshFile();
  sqliteStore(file).close();
  const watcher = new Default(file);
  // SQLite counts here what other connections have committed.
  const writes = () => watcher.prepare('PRAGMA data_version').get();
  const before = writes();
  sqliteStore(file).close();
  assert.deepEqual(writes(), before);
  watcher.close();
});

test('whoever completes a schema has looked at it with nobody else in between', () => {
  const file = freshFile();
  const [database, other] = [new Default(file), new Default(file)];
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE madeleine_schema (version INTEGER NOT NULL) STRICT');
  other.exec('PRAGMA busy_timeout = 0');
  let refused = 0;
  const watched: SqliteDatabase = {
    exec: sql => database.exec(sql),
    prepare(sql) {
      if (sql.includes('madeleine_schema')) {
        assert.throws(() => sqliteStore(other), /locked/);
        refused++;
      }
      return database.prepare(sql);
    },
    close() {},
  };
  assert.equal(sqliteStore(watched).create('key', sampleRecord(now)), true);
  assert.equal(refused, 1);
  assert.notEqual(sqliteStore(other).read('key'), null);
  for (const opened of [database, other]) opened.close();
});

test('no call looks through the whole table', () => {
  const database = new Default(':memory:');
  const statements: string[] = [];
  const watched: SqliteDatabase = {
    exec: sql => database.exec(sql),
    prepare(sql) {
      if (sql.includes('madeleine_sessions')) statements.push(sql);
      return database.prepare(sql);
    },
    close() {},
  };
  sqliteStore(watched);
  assert.equal(statements.length, 11);
  for (const sql of statements) {
    const values = Array.from(sql.matchAll(/\?/g), () => null);
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as Array<{ detail: string }>;
    for (const { detail } of plan) assert.doesNotMatch(detail, /SCAN|TEMP B-TREE/, sql);
  }
  database.close();
});

test("the application's own tables, version and settings in the same database are left alone", () => {
  const database = new Default(freshFile());
  database.exec('CREATE TABLE orders (id INTEGER); PRAGMA user_version = 42; PRAGMA synchronous = OFF');
  const store = sqliteStore(database);
  store.create('key', sampleRecord(now));
  store.close();
  const setting = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() as object)[0];
  assert.deepEqual(['user_version', 'synchronous', 'journal_mode'].map(setting), [42, 0, 'delete']);
  database.close();
});

test('an open database stays open after close, and its transactions are its own', () => {
  const database = new Default(':memory:');
  const store = sqliteStore(database);
  store.close();
  database.exec('BEGIN; CREATE TABLE orders (id INTEGER)');
  assert.throws(() => sqliteStore(database), {
    code: 'ERR_STORE_INVALID',
    message: /within a transaction.*no transaction is open/,
  });
  database.exec('COMMIT');
  assert.deepEqual(database.prepare('SELECT * FROM orders').all(), []);
  database.close();
});

test('a database set to answer with BigInt gives records with numbers', { skip: !BetterSqlite }, () => {
  const database = new BetterSqlite!(':memory:') as SqliteDatabase & { defaultSafeIntegers(on: boolean): void };
  database.defaultSafeIntegers(true);
  const store = sqliteStore(database);
  store.create('key', sampleRecord(now));
  assert.deepEqual(store.read('key'), sampleRecord(now));
  assert.equal(store.admin.count(now), 1);
  store.close();
});

test('durability sets what SQLite waits for, and is refused where it would do nothing', context => {
  const exec = context.mock.method(Default.prototype as SqliteDatabase, 'exec');
  const synchronous = (options?: SqliteStoreOptions) => {
    exec.mock.resetCalls();
    sqliteStore(freshFile(), options).close();
    const statements = exec.mock.calls.map(call => call.arguments[0]);
    return statements.filter(sql => /synchronous|fullfsync/.test(sql));
  };
  assert.deepEqual(synchronous(), ['PRAGMA synchronous = NORMAL']);
  assert.deepEqual(synchronous({ durability: 'process' }), ['PRAGMA synchronous = NORMAL']);
  assert.deepEqual(synchronous({ durability: 'power' }), ['PRAGMA synchronous = FULL', 'PRAGMA fullfsync = ON']);

  assert.throws(() => sqliteStore(freshFile(), { mode: 'wal' } as SqliteStoreOptions), { code: 'ERR_OPTION_UNKNOWN' });
  assert.throws(() => sqliteStore(freshFile(), { durability: 'full' as 'power' }), { code: 'ERR_OPTION_INVALID' });
  const database = new Default(':memory:');
  assert.throws(() => sqliteStore(database, { durability: 'power' }), { code: 'ERR_OPTION_CONFLICT' });
  database.close();
});

test('what is neither a path nor a database is refused', () => {
  for (const wrong of [undefined, null, 1, {}, new URL('file:///tmp/x.db')]) {
    assert.throws(() => sqliteStore(wrong as unknown as string), {
      code: 'ERR_STORE_INVALID',
      message: /neither a path/,
    });
  }
});

test('sessions are kept by a clock that tells fractions of a millisecond, as performance.now() does', async () => {
  const count: RequestHandler = (req, res) => {
    req.session.visits = (req.session.visits ?? 0) + 1;
    res.json(req.session.visits);
  };
  const options = { store: sqliteStore(':memory:'), clock: () => Date.now() + 0.25 };
  const app = await serveRoutes({ '/count': count }, options);
  const client = app.client();
  for (const visits of [1, 2]) assert.equal((await client.get('/count')).json(), visits);
  await app.close();
});

test('an unreadable device is no device, and the record is still there', () => {
  const database = new Default(':memory:');
  const store = sqliteStore(database);
  store.create('key', sampleRecord(now, { device: { address: '192.0.2.1' } }));
  database.exec("UPDATE madeleine_sessions SET device = '{broken'");
  assert.deepEqual(store.read('key'), sampleRecord(now));
  database.close();
});

/** Opens a store in a process for which better-sqlite3 is these files. */
function openWithDriver(files: Record<string, string>): string {
  const script = `
    process.getBuiltinModule = () => undefined;
    const { sqliteStore } = await import('madeleine/sqlite');
    try { sqliteStore(':memory:'); } catch (error) { console.log(error.message, error.cause?.message); }`;
  return runInProject(script, { 'better-sqlite3': files });
}

test('no driver at all: the error names the package and keeps the cause', () => {
  const message = openWithDriver({});
  const wanted = Number.parseInt(process.versions.node, 10) < 22 ? 'better-sqlite3@12' : 'better-sqlite3';
  assert.match(message, /"better-sqlite3" is not installed/);
  assert.ok(message.includes(`npm install ${wanted} (ERR_DRIVER_MISSING) Cannot find module`), message);
});

test('better-sqlite3 13 on Node 20 is refused before any of its code runs', () => {
  const files = { 'package.json': '{"version":"13.2.0"}', 'index.js': 'process.abort()' };
  if (Number.parseInt(process.versions.node, 10) >= 22) return assert.throws(() => openWithDriver(files));
  assert.match(
    openWithDriver(files),
    /better-sqlite3 13\.2\.0 crashes on Node 20.*better-sqlite3@12.*ERR_DRIVER_UNSUPPORTED/,
  );
});

test('better-sqlite3 whose compiled part does not load is told apart from a bad file', () => {
  const index = 'module.exports = class { constructor() { throw new Error("wrong NODE_MODULE_VERSION"); } }';
  const message = openWithDriver({ 'package.json': '{"version":"12.0.0"}', 'index.js': index });
  assert.match(message, /npm rebuild better-sqlite3 \(ERR_DRIVER_UNSUPPORTED\) wrong NODE_MODULE_VERSION/);
});

test('better-sqlite3 where no compiled code may be loaded: the error names the setting', () => {
  const refusal = "Object.assign(new Error('no addons'), { code: 'ERR_DLOPEN_DISABLED' })";
  const index = `module.exports = class { constructor() { throw ${refusal}; } }`;
  const message = openWithDriver({ 'package.json': '{"version":"12.0.0"}', 'index.js': index });
  assert.match(message, /without --no-addons, or with --allow-addons\. \(ERR_DRIVER_UNSUPPORTED\) no addons/);
});

describe('pruning of more than a few', () => {
  const ROWS = 3_000;

  /** A file with so many expired records and one that lives. */
  function expiredFile(): string {
    const file = freshFile();
    const database = new Default(file);
    const store = sqliteStore(database);
    database.exec('BEGIN');
    for (let i = 0; i < ROWS; i++) store.create(`key-${i}`, sampleRecord(now, { expiresAt: now - i }));
    store.create('live', sampleRecord(now));
    database.exec('COMMIT');
    database.close();
    return file;
  }

  /**
   * Runs a script over the open `store` of such a file, in a process of its own; with the thread's script as it is, or as
   * given, or (`null`) with none.
   */
  function runOver(file: string, script: string, thread?: string | null): string {
    const place = "'node_modules/madeleine/dist/stores/sqlite-pruning-thread.js'";
    const change = thread === null ? `rmSync(${place})` : `writeFileSync(${place}, ${JSON.stringify(thread)})`;
    const source = `
      import { rmSync, writeFileSync } from 'node:fs';
      ${thread === undefined ? '' : change};
      const { sqliteStore } = await import('madeleine/sqlite');
      const store = sqliteStore(${JSON.stringify(file)});
      const now = ${now};
      ${script}`;
    const real = JSON.stringify(path.resolve('node_modules/better-sqlite3'));
    const files = { 'package.json': '{"version":"12.0.0"}', 'index.js': `module.exports = require(${real})` };
    return runInProject(source, { 'better-sqlite3': files });
  }

  it('is done by a thread, all of it, and the event loop is free meanwhile', async () => {
    const store = sqliteStore(expiredFile());
    const answer = store.admin.prune(now, ROWS);
    assert.ok(answer instanceof Promise);
    assert.equal(await answer, ROWS);
    assert.deepEqual(await store.read('live'), sampleRecord(now));
    store.close();
  });

  /** The thread that this starts, and what it answers. */
  async function threadOf<T>(start: () => T): Promise<[thread: Worker, answer: Awaited<T>]> {
    const started = once(process, 'worker') as Promise<[Worker]>;
    const answer = start();
    return [(await started)[0], await answer];
  }

  it('the thread ends when nothing is left, or with the store', async context => {
    // Nothing else keeps this process going: not even the thread whose end is awaited.
    const alive = setInterval(() => {}, 1_000);
    context.after(() => clearInterval(alive));
    const store = sqliteStore(expiredFile());
    const [first] = await threadOf(() => store.admin.prune(now, ROWS - 100));
    const [exit] = await Promise.all([once(first, 'exit'), store.admin.prune(now, 200)]);
    assert.deepEqual(exit, [0]);
    assert.equal(store.admin.prune(now, 200), 0, 'nothing is left to start a thread for');
    store.close();

    const closing = sqliteStore(expiredFile());
    const [second] = await threadOf(() => closing.admin.prune(now, 100));
    const ended = once(second, 'exit');
    closing.close();
    assert.deepEqual(await ended, [0]);
  });

  it('takes no more than it may, also when it is asked twice at once', async () => {
    const store = sqliteStore(expiredFile());
    assert.deepEqual(await Promise.all([store.admin.prune(now, 100), store.admin.prune(now, 700)]), [100, 700]);
    assert.equal(await store.admin.count(0), ROWS + 1 - 800);
    store.close();
  });

  it('finds the file though the process has gone to another folder', () => {
    const file = expiredFile();
    const elsewhere = temporaryFolder();
    const gone = `process.chdir(${JSON.stringify(folder)});
      const moved = sqliteStore(${JSON.stringify(path.basename(file))});
      process.chdir(${JSON.stringify(elsewhere)});
      console.log(await moved.admin.prune(now, 50));`;
    assert.equal(runOver(freshFile(), gone), '50\n');
    assert.deepEqual(readdirSync(elsewhere), []);
  });

  it('a process that only waits for it comes to its end, without close, and after it', () => {
    const twice = 'console.log(await store.admin.prune(now, 1_000), await store.admin.prune(now, 1_000));';
    assert.equal(runOver(expiredFile(), twice), '1000 1000\n');
    assert.equal(runOver(expiredFile(), 'console.log(await store.admin.prune(now, 5_000));'), `${ROWS}\n`);
    const closing = 'store.admin.prune(now, 5_000).then(console.log); store.close();';
    assert.equal(runOver(expiredFile(), closing), `${ROWS}\n`);
  });

  for (const [name, thread] of Object.entries({
    'cannot be started': null,
    'fails at its start': "console.log('once'); throw new Error('not here');",
    'ends before it answers': `
      import { parentPort } from 'node:worker_threads';
      parentPort.on('message', () => { console.log('once'); process.exit(); });`,
  })) {
    it(`where the thread ${name} it is done in the event loop`, () => {
      const twice = 'console.log(await store.admin.prune(now, 50), await store.admin.prune(now, 5_000));';
      const printed = runOver(expiredFile(), twice, thread).split('\n').sort();
      assert.deepEqual(printed, ['', `50 ${ROWS - 50}`, ...(thread === null ? [] : ['once'])]);
    });
  }

  it('of an open database is done in the event loop', () => {
    const file = expiredFile();
    const database = new Default(file);
    assert.equal(sqliteStore(database).admin.prune(now, ROWS), ROWS);
    database.close();
  });
});
