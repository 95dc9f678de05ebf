import { MadeleineError } from '../errors.ts';
import { checkChoice, checkOptions } from '../options.ts';
import {
  connect,
  type OpenedPool,
  openPool,
  type PostgresConnection,
  type PostgresPool,
  type PostgresResult,
  type Statement,
} from './postgres-connection.ts';
import { makeTable } from './postgres-schema.ts';
import { READ_SIZES, readTogether } from './read-together.ts';
import { once, type ServerStore } from './server-store.ts';
import { COLUMNS, entriesOf, pageOf, type SessionRow, type SqlValue, valuesOf } from './sql-record.ts';
import { quoteName } from './sql-server.ts';
import { sqlTable } from './sql-table.ts';

export type { PostgresPool, PostgresResult, PostgresStatement } from './postgres-connection.ts';
export type { ServerStore } from './server-store.ts';

export interface PostgresStoreOptions {
  /** The schema of the table, which must exist. Default: where the connection's `search_path` leads, mostly `public`. */
  schema?: string | undefined;
  /** The name of the table. Default `'madeleine_sessions'`. */
  table?: string | undefined;
  /**
   * Makes the table `UNLOGGED`: writes go to no log, so they are faster, **and all sessions are lost when the server
   * crashes**; standbys have none of them. It counts when the table is made, and not later. Default `false`.
   */
  unlogged?: boolean | undefined;
}

/**
 * Keeps sessions in a table of a Postgres server.
 *
 * @param pool a connection string, or a `Pool` of `pg` that the application has, which `close()` leaves open
 * @throws MadeleineError `ERR_DRIVER_MISSING` when `pg` is not installed, `ERR_STORE_INVALID` when this is neither a
 *   connection string nor a pool, `ERR_OPTION_*` for wrong options; what only the server can say comes with the first call
 */
export function postgresStore(pool: string | PostgresPool, options: PostgresStoreOptions = {}): ServerStore {
  const given = checkOptions(options, ['schema', 'table', 'unlogged'], 'postgresStore');
  const { schema, table = 'madeleine_sessions', unlogged = false } = given;
  checkChoice('unlogged', unlogged, [true, false]);
  const name = quoteName(table, 'table', '"');
  const qualified = schema === undefined ? name : `${quoteName(schema, 'schema', '"')}.${name}`;
  if (typeof pool === 'string') {
    const opened = openPool(pool);
    return createStore(opened, qualified, unlogged, opened);
  }
  if (typeof pool?.query !== 'function') {
    throw new MadeleineError(
      'ERR_STORE_INVALID',
      'This is neither a connection string nor a pool of pg.',
      "Call postgresStore('postgres://user:password@localhost:5432/database').",
    );
  }
  if ('getTypeParser' in pool) throw singleClient();
  return createStore(pool, qualified, unlogged, null);
}

function singleClient(): MadeleineError {
  return new MadeleineError(
    'ERR_STORE_INVALID',
    'This is a single client of pg: once its connection is lost, no session could be read any more.',
    'Pass a pool, which opens another: new pg.Pool().',
  );
}

/** Answered to a read of a table that is not there. */
const UNDEFINED_TABLE = '42P01';

function createStore(pool: PostgresPool, table: string, unlogged: boolean, opened: OpenedPool | null): ServerStore {
  const connection = connect(pool);
  const statements = prepareAll(connection, table);
  const onTable = sqlTable(() => makeTable(connection, table, unlogged), UNDEFINED_TABLE);

  /** Runs a statement on the table, which is there by then. */
  function run(statement: Statement, ...values: SqlValue[]): Promise<PostgresResult> {
    return onTable.run(() => statement(...values));
  }

  const select = (statement: Statement, ...values: SqlValue[]) =>
    run(statement, ...values).then(({ rows }) => rows as SessionRow[]);
  /** Runs a statement and says how many rows it changed. */
  const change = (statement: Statement, ...values: SqlValue[]) =>
    run(statement, ...values).then(({ rowCount }) => rowCount ?? 0);

  const read = readTogether(keys => select(statements.read.get(keys.length) as Statement, ...keys));

  return {
    read,

    create: async (key, record) => (await change(statements.create, key, ...valuesOf(record))) === 1,

    replace: (key, record, expected) =>
      change(statements.replace, key, expected, ...valuesOf(record)).then(changed =>
        changed === 1 ? { ok: true } : read(key).then(current => ({ ok: false, current })),
      ),

    touch: async (key, lastSeenAt, expiresAt) => (await change(statements.touch, key, lastSeenAt, expiresAt)) === 1,

    delete: async key => (await change(statements.delete, key)) === 1,

    admin: {
      byUser: async userId => entriesOf(await select(statements.byUser, userId)),
      deleteByUser: (userId, except) => change(statements.deleteByUser, userId, except ?? null),
      page: async (cursor, limit) => pageOf(await select(statements.page, cursor ?? '', limit), limit),
      async count(now) {
        const [row] = await select(statements.count, now);
        return Number((row as object as { live: string }).live);
      },
      prune: (now, limit) => change(statements.prune, now, limit),
    },

    ready: onTable.ready,
    close: once(() => onTable.end(opened)).done,
  };
}

/** $1, $2, … */
function places(count: number): string {
  return Array.from({ length: count }, (_, i) => `$${i + 1}`).join(', ');
}

function prepareAll({ prepare }: PostgresConnection, table: string) {
  const all = `key, ${COLUMNS.join(', ')}`;
  const changes = COLUMNS.map((name, i) => `${name} = $${i + 3}`).join(', ');
  return {
    // Not = ANY ($1): for lists that are shorter than it guesses, the server would make a plan again and again.
    read: new Map(
      READ_SIZES.map(size => [size, prepare(`SELECT ${all} FROM ${table} WHERE key IN (${places(size)})`)]),
    ),
    create: prepare(
      `INSERT INTO ${table} (${all}) VALUES (${places(COLUMNS.length + 1)}) ON CONFLICT (key) DO NOTHING`,
    ),
    // Not SELECT … FOR UPDATE before it, which would know what stands there when the version is another: see docs/architecture.md.
    replace: prepare(`UPDATE ${table} SET ${changes} WHERE key = $1 AND version = $2`),
    touch: prepare(
      `UPDATE ${table} SET last_seen_at = greatest(last_seen_at, $2), expires_at = greatest(expires_at, $3) WHERE key = $1`,
    ),
    delete: prepare(`DELETE FROM ${table} WHERE key = $1`),
    byUser: prepare(`SELECT ${all} FROM ${table} WHERE user_id = $1`),
    deleteByUser: prepare(`DELETE FROM ${table} WHERE user_id = $1 AND key IS DISTINCT FROM $2`),
    page: prepare(`SELECT ${all} FROM ${table} WHERE key > $1 ORDER BY key LIMIT $2`),
    count: prepare(`SELECT count(*) AS live FROM ${table} WHERE expires_at > $1`),
    // Several processes that prune at once share the work. The array is made once; IN would let the planner repeat it. Without the
    // order it would take any rows that it meets, and look through the whole table for the last of them.
    prune: prepare(
      `DELETE FROM ${table} WHERE key = ANY (ARRAY (
         SELECT key FROM ${table} WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    ),
  };
}
