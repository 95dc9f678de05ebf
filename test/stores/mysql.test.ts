import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { mysqlStore } from 'madeleine/mysql';
import { storeConformance } from 'madeleine/testing';
import mysql from 'mysql2';
import { startMariadb } from '../servers/mariadb.ts';
import { need } from '../servers/need.ts';
import type { SqlServer } from '../servers/sql-server.ts';
import { sampleRecord } from './support/sample-record.js';

const now = Date.now();

/** What applications set on their pools and servers, each of which would change what comes back if it applied. */
const SETTINGS: Record<string, { options: mysql.PoolOptions; session: string[] }> = {
  'as rows in arrays, numbers as text, Latin-1, changed rows instead of found ones, not strict': {
    options: {
      ...{ rowsAsArray: true, supportBigNumbers: true, bigNumberStrings: true, namedPlaceholders: true },
      ...{ charset: 'latin1', flags: ['-FOUND_ROWS'], dateStrings: true, nestTables: true },
      typeCast: () => 'cast by the application',
    },
    session: ["SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH'"],
  },
  'nothing cast, NOT before comparisons': {
    options: { typeCast: false },
    session: ["SET SESSION sql_mode = 'HIGH_NOT_PRECEDENCE'"],
  },
  'serializable, strict': {
    options: {},
    session: ["SET SESSION sql_mode = 'TRADITIONAL'", 'SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE'],
  },
};

describe('mysqlStore', { skip: need('mariadb') }, () => {
  let server: SqlServer;
  before(async () => {
    server = await startMariadb();
  });
  after(() => server?.stop());

  function createPool(url: string, options: mysql.PoolOptions, session: string[]): mysql.Pool {
    const pool = mysql.createPool({ uri: url, ...options });
    pool.on('connection', connection => {
      for (const statement of session) connection.query(statement);
    });
    return pool;
  }

  for (const [title, { options, session }] of Object.entries(SETTINGS)) {
    describe(title, () => {
      let pool: mysql.Pool;
      let tables = 0;
      before(() => {
        pool = createPool(server.url, options, session);
      });
      after(() => pool?.promise().end());
      storeConformance({
        name: `mysqlStore(pool), ${title}`,
        open: () => mysqlStore(pool, { table: `table_${title.length}_${++tables}` }),
      });
    });
  }

  test('a pool that does not commit by itself is refused', async () => {
    const pool = createPool(await server.createDatabase(), {}, ['SET autocommit = 0']);
    await assert.rejects(mysqlStore(pool).ready(), {
      code: 'ERR_STORE_INVALID',
      message: /do not commit.*autocommit on/,
    });
    await pool.promise().end();
  });

  test('a walk begins where empty text counts as NULL', async () => {
    // MySQL, which has no such mode, takes it for a comment.
    const mode = "SET SESSION sql_mode = CONCAT('' /*M!100300 , 'EMPTY_STRING_IS_NULL' */)";
    const pool = createPool(await server.createDatabase(), {}, [mode]);
    const store = mysqlStore(pool);
    await store.create('key', sampleRecord(now));
    assert.equal((await store.admin.page(null, 10)).entries.length, 1);
    await pool.promise().end();
  });

  test('the table is one of InnoDB whose keys are long, whatever the server makes when it is not told', async () => {
    const root = await mysql.createConnection(server.url).promise();
    const [[before]] = (await root.query(
      `SELECT @@GLOBAL.default_storage_engine AS engine, @@GLOBAL.innodb_default_row_format AS format`,
    )) as unknown as [[{ engine: string; format: string }]];
    const set = ({ engine, format }: typeof before) =>
      root.query(`SET GLOBAL default_storage_engine = ${engine}, GLOBAL innodb_default_row_format = ${format}`);
    const url = await server.createDatabase();
    await set({ engine: 'MyISAM', format: 'compact' });
    try {
      const store = mysqlStore(url);
      const key = 'k'.repeat(1024);
      assert.equal(await store.create(key, sampleRecord(now)), true);
      assert.deepEqual(await store.read(key), sampleRecord(now));
      await store.close();
    } finally {
      await set(before);
    }
    const [tables] = await root.query(
      'SELECT engine AS engine FROM information_schema.tables WHERE table_schema = ?',
      new URL(url).pathname.slice(1),
    );
    assert.deepEqual(tables, [{ engine: 'InnoDB' }]);
    await root.end();
  });

  test('what does not fit is refused, and not cut short', async () => {
    const store = mysqlStore(await server.createDatabase());
    await assert.rejects(async () => store.create('k'.repeat(3_073), sampleRecord(now)), { code: 'ER_DATA_TOO_LONG' });
    assert.equal(await store.admin.count(0), 0);
    await store.close();
  });

  test('a server that takes no writes says so', async () => {
    const pool = createPool(await server.createDatabase(), {}, ['SET SESSION TRANSACTION READ ONLY']);
    await assert.rejects(mysqlStore(pool).ready(), { code: 'ERR_STORE_FAILED', message: /takes no writes.*replica/ });
    await pool.promise().end();
  });

  test('who was kept waiting for a connection too long does not take it from those who still wait', async t => {
    const pool = mysql.createPool({ uri: await server.createDatabase(), connectionLimit: 1 });
    const store = mysqlStore(pool);
    await store.ready();
    const held = await pool.promise().getConnection();
    const late = assert.rejects(async () => store.read('key'), /did not answer within 10000 ms/);
    await new Promise(resolve => setImmediate(resolve));
    const elapsed = performance.now() + 10_001;
    const clock = t.mock.method(performance, 'now', () => elapsed);
    held.release();
    await late;
    clock.mock.restore();
    assert.equal(await store.read('key'), null);
    await pool.promise().end();
  });

  test('what is refused because there is one already does not cost its connection', async () => {
    const pool = mysql.createPool({ uri: await server.createDatabase(), connectionLimit: 1 });
    const store = mysqlStore(pool);
    await store.create('key', sampleRecord(now));
    const connection = async () => (await pool.promise().query('SELECT CONNECTION_ID()'))[0];
    const first = await connection();
    assert.equal(await store.create('key', sampleRecord(now)), false);
    assert.deepEqual(await connection(), first);
    await pool.promise().end();
  });

  test('a password with a bare % is refused at construction, without showing it', () => {
    assert.throws(() => mysqlStore('mysql://user:100%pure@localhost/test'), {
      code: 'ERR_STORE_INVALID',
      message: /^(?!.*pure).*has a % that begins no percent-encoding/,
    });
  });

  test('a connection string without a database is refused', async () => {
    const store = mysqlStore(Object.assign(new URL(server.url), { pathname: '' }).href);
    await assert.rejects(store.ready(), { code: 'ERR_STORE_INVALID', message: /names none.*CREATE DATABASE/ });
    await store.close();
  });

  test('a session that the server does not take in one piece is refused, and the store goes on', async () => {
    const root = await mysql.createConnection(server.url).promise();
    const url = await server.createDatabase();
    await root.query('SET GLOBAL max_allowed_packet = 1048576');
    const store = mysqlStore(url);
    await store.create('key', sampleRecord(now));
    const large = sampleRecord(now, { version: 2, data: JSON.stringify('x'.repeat(1_100_000)) });
    // The server answers and hangs up while the client is still writing: it depends on both which of these is seen first.
    await assert.rejects(
      async () => store.replace('key', large, 1),
      /larger than the server takes.*max_allowed_packet|ECONNRESET|EPIPE|Connection lost/,
    );
    assert.deepEqual(await store.read('key'), sampleRecord(now));
    await store.close();
    await root.query('SET GLOBAL max_allowed_packet = 16777216');
    await root.end();
  });
});
