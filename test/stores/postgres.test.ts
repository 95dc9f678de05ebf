import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type PostgresPool, type PostgresStatement, postgresStore, type ServerStore } from 'madeleine/postgres';
import { storeConformance } from 'madeleine/testing';
import pg from 'pg';
import { need } from '../servers/need.ts';
import { startPgBouncer, startPostgres } from '../servers/postgres.ts';
import type { SqlServer } from '../servers/sql-server.ts';
import { sampleRecord } from './support/sample-record.js';

const now = Date.now();

/** The pool as the store sees it, and the names of the statements that went through it. */
function record(pool: pg.Pool): { recording: PostgresPool; names: Array<string | undefined> } {
  const names: Array<string | undefined> = [];
  const recording = {
    query(statement: PostgresStatement) {
      names.push(statement.name);
      return pool.query(statement);
    },
  };
  return { recording, names };
}

describe('postgresStore', { skip: need('postgres') }, () => {
  let server: SqlServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server?.stop());

  /** Runs a test on an empty database, with a pool that tells the names of the statements that go through it. */
  async function withPool(
    run: (store: ServerStore, pool: pg.Pool, names: Array<string | undefined>) => Promise<void>,
    options: pg.PoolConfig = {},
    url?: string,
  ): Promise<void> {
    const pool = new pg.Pool({ connectionString: url ?? (await server.createDatabase()), ...options });
    const { recording, names } = record(pool);
    const store = postgresStore(recording);
    try {
      await store.ready();
      await run(store, pool, names);
    } finally {
      await pool.end();
    }
  }

  describe('pools with other settings', () => {
    let pool: pg.Pool;
    let tables = 0;
    before(() => {
      pool = new pg.Pool({
        connectionString: server.url,
        options: '-c default_transaction_isolation=serializable',
        types: { getTypeParser: () => () => 'parsed by the application' },
      });
    });
    after(() => pool?.end());
    storeConformance({
      name: 'postgresStore(serializable pool, values parsed by the application)',
      open: () => postgresStore(pool, { table: `serializable_${++tables}` }),
    });

    test('a replace that the server undid because of another is sent again', async () => {
      const store = postgresStore(pool, { table: 'undone' });
      await store.create('key', sampleRecord(now));
      const client = await pool.connect();
      await client.query('BEGIN; UPDATE undone SET version = 2');
      const replaced = store.replace('key', sampleRecord(now, { version: 2 }), 1);
      const waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
      while ((await pool.query(waiting)).rowCount === 0);
      await client.query('COMMIT');
      client.release();
      assert.deepEqual(await replaced, { ok: false, current: sampleRecord(now, { version: 2 }) });
    });
  });

  test('a pool that asks for binary answers is refused: pg reads numbers wrongly in them', () => {
    const options: pg.PoolConfig & { binary: boolean } = { binary: true };
    const refused = { code: 'ERR_STORE_INVALID', message: /binary answers.*Leave "binary" off/ };
    return assert.rejects(
      withPool(async () => {}, options),
      refused,
    );
  });

  test('a single client is refused: its connection would never come back', () => {
    assert.throws(() => postgresStore(new pg.Client(server.url)), {
      code: 'ERR_STORE_INVALID',
      message: /a single client.*new pg.Pool/,
    });
  });

  test('close waits for the calls that wait for a connection, and those that come later are told', async () => {
    const store = postgresStore(await server.createDatabase());
    await store.ready();
    const creates = Array.from({ length: 50 }, (_, i) => store.create(`key ${i}`, sampleRecord(now)));
    await store.close();
    assert.ok((await Promise.all(creates)).every(Boolean));
    await assert.rejects(async () => store.read('key'), { code: 'ERR_STORE_FAILED', message: /store is closed/ });
  });

  test('a pool that throws, and does not reject, spoils nothing for the calls that come later', async () => {
    const pool = new pg.Pool({ connectionString: await server.createDatabase() });
    let refuses = false;
    const query = (statement: PostgresStatement) => {
      if (refuses) throw new Error('no query now');
      return pool.query(statement);
    };
    const store = postgresStore({ query });
    await store.ready();
    refuses = true;
    for (let call = 0; call < 10_000; call++) await assert.rejects(async () => store.delete('key'), /no query now/);
    refuses = false;
    assert.equal(await store.read('key'), null);
    await pool.end();
  });

  test('a server that takes no writes says so', () =>
    assert.rejects(
      withPool(async () => {}, { options: '-c default_transaction_read_only=on' }),
      { code: 'ERR_STORE_FAILED', message: /takes no writes.*replica/ },
    ));

  test('prune leaves what another process is at, without waiting for it', () =>
    withPool(async (store, pool) => {
      for (const key of ['a', 'b', 'c']) await store.create(key, sampleRecord(now));
      const client = await pool.connect();
      await client.query('BEGIN');
      await client.query("UPDATE madeleine_sessions SET expires_at = expires_at + 1e9 WHERE key = 'b'");
      assert.equal(await store.admin.prune(now + 9e6, 10), 2);
      await client.query('COMMIT');
      client.release();
      assert.equal(await store.admin.prune(now + 9e6, 10), 0);
      assert.notEqual(await store.read('b'), null);
    }));

  test('no call but count goes through the whole table, whatever values the server expects', () =>
    withPool(
      async (store, pool) => {
        // They expire in another order than they were made in, as those do that are used again and again.
        await pool.query(`INSERT INTO madeleine_sessions
          SELECT 'key-' || i, 1, 'user-' || i, 0, NULL, 0, 1 + abs(hashint4(i)::bigint), false, NULL, NULL, repeat('x', 200)
          FROM generate_series(1, 10000) AS i`);
        await pool.query('ANALYZE madeleine_sessions');
        await store.create('key', sampleRecord(now));
        await store.read('key');
        await store.replace('key', sampleRecord(now, { version: 2 }), 1);
        await store.touch('key', now, now);
        await store.delete('key');
        await store.admin.byUser('user-1');
        await store.admin.deleteByUser('user-1', 'key-2');
        await store.admin.page(null, 10);
        await store.admin.prune(0, 10);
        const { rows } =
          await pool.query(`SELECT name, cardinality(parameter_types) AS values FROM pg_prepared_statements
          WHERE statement LIKE '%madeleine_sessions%'`);
        assert.equal(rows.length, 9);
        // The plan that the server keeps when it has seen many values.
        await pool.query('SET plan_cache_mode = force_generic_plan');
        for (const { name, values } of rows) {
          const plan = await pool.query(`EXPLAIN EXECUTE "${name}" (${Array(values).fill('NULL')})`);
          assert.doesNotMatch(JSON.stringify(plan.rows), /Seq Scan/);
        }
      },
      { max: 1 },
    ));

  test('statements are prepared once on a connection', () =>
    withPool(
      async (store, pool, names) => {
        for (const key of ['a', 'b', 'c']) await store.read(key);
        assert.equal(new Set(names.slice(-3)).size, 1);
        assert.match(names.at(-1) ?? '', /^madeleine_/);
        const { rows } = await pool.query(
          'SELECT (generic_plans + custom_plans)::int AS uses FROM pg_prepared_statements WHERE name = $1',
          names.slice(-1),
        );
        assert.deepEqual(rows, [{ uses: 3 }]);
      },
      { max: 1 },
    ));

  test('a table that is altered under prepared statements goes on being read and written', () =>
    withPool(
      async (store, pool) => {
        await store.create('key', sampleRecord(now));
        await store.replace('key', sampleRecord(now, { version: 2 }), 1);
        await store.read('key');
        await pool.query(
          'ALTER TABLE madeleine_sessions ADD COLUMN noted text DEFAULT $$$$, ALTER COLUMN data TYPE varchar',
        );
        assert.deepEqual(await store.replace('key', sampleRecord(now, { version: 3 }), 2), { ok: true });
        assert.deepEqual(await store.read('key'), sampleRecord(now, { version: 3 }));
      },
      { max: 1 },
    ));

  test('statements that somebody discarded are no longer prepared', () =>
    withPool(
      async (store, pool, names) => {
        await store.create('key', sampleRecord(now));
        assert.notEqual(await store.read('key'), null);
        await pool.query('DISCARD ALL');
        assert.notEqual(await store.read('key'), null);
        assert.deepEqual(names.slice(-1), [undefined]);
      },
      { max: 1 },
    ));

  test('keys and user ids have a collation that no update of the system changes, which would spoil their indexes', () =>
    withPool(async (_store, pool) => {
      const { rows } = await pool.query(
        `SELECT attname, collname FROM pg_attribute JOIN pg_collation ON pg_collation.oid = attcollation
         WHERE attrelid = 'madeleine_sessions'::regclass AND attname IN ('key', 'user_id') ORDER BY attname`,
      );
      assert.deepEqual(rows, [
        { attname: 'key', collname: 'C' },
        { attname: 'user_id', collname: 'C' },
      ]);
    }));

  test('options: a schema, which must exist', async () => {
    const url = await server.createDatabase();
    const store = postgresStore(url, { schema: 'the "house"', table: 'sessions' });
    await assert.rejects(store.ready(), { code: 'ERR_STORE_INVALID', message: /schema.*CREATE SCHEMA/ });
    const client = new pg.Client(url);
    await client.connect();
    await client.query('CREATE SCHEMA "the ""house"""');
    await store.create('key', sampleRecord(now));
    const { rows } = await client.query('SELECT key FROM "the ""house""".sessions');
    assert.deepEqual(rows, [{ key: 'key' }]);
    await client.end();
    await store.close();
    assert.throws(() => postgresStore(url, { schema: '' }), { code: 'ERR_OPTION_INVALID', message: /"schema"/ });
    assert.throws(() => postgresStore(url, { unlogged: 1 as never }), { code: 'ERR_OPTION_INVALID' });
  });

  test('options: unlogged makes such a table', async () => {
    const url = await server.createDatabase();
    for (const [table, options] of Object.entries({ safe: {}, fast: { unlogged: true } })) {
      const store = postgresStore(url, { table, ...options });
      await store.ready();
      await store.close();
    }
    const client = new pg.Client(url);
    await client.connect();
    const { rows } = await client.query(
      "SELECT relname, relpersistence FROM pg_class WHERE relname IN ('safe', 'fast') ORDER BY relname",
    );
    await client.end();
    assert.deepEqual(rows, [
      { relname: 'fast', relpersistence: 'u' },
      { relname: 'safe', relpersistence: 'p' },
    ]);
  });

  test('a database that cannot keep every text is refused', async () => {
    const client = new pg.Client(server.url);
    await client.connect();
    await client.query("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
    await client.end();
    const store = postgresStore(server.url.replace(/\w+$/, 'latin'));
    await assert.rejects(store.ready(), { code: 'ERR_STORE_INVALID', message: /LATIN1.*ENCODING 'UTF8'/ });
    await store.close();
  });

  describe('behind PgBouncer in transaction mode', { skip: need('pgbouncer') }, () => {
    let pooler: Awaited<ReturnType<typeof startPgBouncer>>;
    const through = (url: string) => Object.assign(new URL(url), { port: pooler.port }).href;
    before(async () => {
      // Few connections to the server, so that clients change over to those of others all the time.
      pooler = await startPgBouncer(server, { default_pool_size: 2 });
    });
    after(() => pooler?.stop());

    let tables = 0;
    storeConformance({
      name: 'postgresStore(PgBouncer)',
      open: () => postgresStore(pooler.url, { table: `pooled_${++tables}` }),
    });

    test('the first calls of many clients all succeed, and then statements go unprepared', async () => {
      const url = through(await server.createDatabase());
      for (let round = 0; round < 3; round++) {
        await withPool(
          async (store, _pool, names) => {
            const keys = Array.from({ length: 100 }, (_, i) => `key-${round}-${i}`);
            assert.ok((await Promise.all(keys.map(key => store.create(key, sampleRecord(now))))).every(Boolean));
            const found = await Promise.all(keys.map(key => store.read(key)));
            assert.ok(found.every(record => record !== null));
            names.length = 0;
            await store.read('key-0-0');
            assert.deepEqual(names, [undefined]);
          },
          {},
          url,
        );
      }
    });

    test('an application never runs a statement that another has prepared on the same connection', async () => {
      const url = await server.createDatabase();
      for (const table of ['ones', 'twos']) {
        const store = postgresStore(url, { table });
        await store.create('key', sampleRecord(now, { data: `"${table}"` }));
        await store.close();
      }
      const pool = new pg.Pool({ connectionString: through(url) });
      /** Keeps one of the two connections to the server busy. */
      const occupy = async () => {
        const client = await pool.connect();
        await client.query('BEGIN');
        return async () => {
          await client.query('COMMIT');
          client.release();
        };
      };
      const own = new pg.Pool({ connectionString: through(url), max: 1 });
      const { recording, names } = record(own);
      const store = postgresStore(recording, { table: 'ones' });
      const other = postgresStore(through(url), { table: 'twos' });

      // Each prepares its reading on a connection of its own ...
      let leave = await occupy();
      assert.equal((await store.read('key'))?.data, '"ones"');
      const leaveToo = await occupy();
      await leave();
      assert.equal((await other.read('key'))?.data, '"twos"');
      await leaveToo();
      assert.ok(names.every(name => name !== undefined));
      // ... and then both read through the same one.
      leave = await occupy();
      assert.deepEqual([(await store.read('key'))?.data, (await other.read('key'))?.data], ['"ones"', '"twos"']);
      await leave();
      await own.end();
      await other.close();
      await pool.end();
    });
  });
});
