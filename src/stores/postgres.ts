import { MadeleineError } from '../errors.ts';
import { checkChoice, checkOptions } from '../options.ts';
import {
  connect,
  type OpenedPool,
  openPool,
  type PostgresConnection,
  type PostgresPool,
  type PostgresResult,
} from './postgres-connection.ts';
import { makeTable } from './postgres-schema.ts';
import type { ServerStore } from './server-store.ts';
import { COLUMNS } from './sql-record.ts';
import { quoteName } from './sql-server.ts';
import { type SqlStatements, sqlStore } from './sql-store.ts';

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

function createStore(pool: PostgresPool, table: string, unlogged: boolean, opened: OpenedPool | null): ServerStore {
  const connection = connect(pool);
  return sqlStore<PostgresResult>(
    {
      statements: statementsOf(connection, table),
      rowsOf: ({ rows }) => rows,
      changedBy: ({ rowCount }) => rowCount ?? 0,
      makeTable: () => makeTable(connection, table, unlogged),
      noSuchTable: '42P01',
    },
    opened,
  );
}

/** $1, $2, … */
function places(count: number): string {
  return Array.from({ length: count }, (_, i) => `$${i + 1}`).join(', ');
}

function statementsOf({ prepare }: PostgresConnection, table: string): SqlStatements<PostgresResult> {
  const all = `key, ${COLUMNS.join(', ')}`;
  const changes = COLUMNS.map((name, i) => `${name} = $${i + 1}`).join(', ');
  const page = prepare(`SELECT ${all} FROM ${table} WHERE key > $1 ORDER BY key LIMIT $2`);
  return {
    // Not = ANY ($1): for lists that are shorter than it guesses, the server would make a plan again and again.
    read: size => prepare(`SELECT ${all} FROM ${table} WHERE key IN (${places(size)})`),
    create: prepare(
      `INSERT INTO ${table} (${all}) VALUES (${places(COLUMNS.length + 1)}) ON CONFLICT (key) DO NOTHING`,
    ),
    // Not SELECT … FOR UPDATE before it, which would know what stands there when the version is another: see docs/architecture.md.
    replace: prepare(
      `UPDATE ${table} SET ${changes} WHERE key = $${COLUMNS.length + 1} AND version = $${COLUMNS.length + 2}`,
    ),
    touch: prepare(
      `UPDATE ${table} SET last_seen_at = greatest(last_seen_at, $1), expires_at = greatest(expires_at, $2) WHERE key = $3`,
    ),
    delete: prepare(`DELETE FROM ${table} WHERE key = $1`),
    byUser: prepare(`SELECT ${all} FROM ${table} WHERE user_id = $1`),
    deleteByUser: prepare(`DELETE FROM ${table} WHERE user_id = $1 AND key IS DISTINCT FROM $2`),
    page: (after, limit) => page(after ?? '', limit),
    count: prepare(`SELECT count(*) AS live FROM ${table} WHERE expires_at > $1`),
    // Several processes that prune at once share the work. The array is made once; IN would let the planner repeat it. Without the
    // order it would take any rows that it meets, and look through the whole table for the last of them.
    prune: prepare(
      `DELETE FROM ${table} WHERE key = ANY (ARRAY (
         SELECT key FROM ${table} WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    ),
  };
}
