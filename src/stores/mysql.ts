import { MadeleineError } from '../errors.ts';
import { checkOptions } from '../options.ts';
import {
  type Changed,
  connect,
  DUPLICATE,
  type Execute,
  type MysqlPool,
  type MysqlPromisePool,
  type OpenedPool,
  openPool,
  type Rows,
} from './mysql-connection.ts';
import { makeTable } from './mysql-schema.ts';
import type { ServerStore } from './server-store.ts';
import { codeOf } from './sql-errors.ts';
import { COLUMNS, type SqlValue } from './sql-record.ts';
import { quoteName } from './sql-server.ts';
import { type SqlStatements, sqlStore } from './sql-store.ts';

export type {
  MysqlPool,
  MysqlPoolConnection,
  MysqlPromisePool,
  MysqlStatement,
  MysqlValue,
} from './mysql-connection.ts';
export type { ServerStore } from './server-store.ts';

export interface MysqlStoreOptions {
  /** The name of the table. Default `'madeleine_sessions'`. */
  table?: string | undefined;
}

/**
 * Keeps sessions in a table of a MySQL or MariaDB server.
 *
 * @param pool a connection string, or a pool of `mysql2` or `mysql2/promise` that the application has, which `close()`
 *   leaves open
 * @throws MadeleineError `ERR_DRIVER_MISSING` when `mysql2` is not installed, `ERR_STORE_INVALID` when this is neither a
 *   connection string nor a pool, `ERR_OPTION_*` for wrong options; what only the server can say comes with the first call
 */
export function mysqlStore(pool: string | MysqlPool | MysqlPromisePool, options: MysqlStoreOptions = {}): ServerStore {
  const { table = 'madeleine_sessions' } = checkOptions(options, ['table'], 'mysqlStore');
  if (typeof pool === 'string') {
    const opened = openPool(pool);
    return createStore(opened, table, opened);
  }
  const given = (pool as MysqlPromisePool | null)?.pool ?? (pool as MysqlPool);
  if (typeof given?.getConnection !== 'function') {
    throw new MadeleineError(
      'ERR_STORE_INVALID',
      'This is neither a connection string nor a pool of mysql2.',
      "Call mysqlStore('mysql://user:password@localhost:3306/database').",
    );
  }
  return createStore(given, table, null);
}

function createStore(pool: MysqlPool, table: string, opened: OpenedPool | null): ServerStore {
  const execute = connect(pool);
  const quoted = quoteName(table, 'table', '`');
  const store = sqlStore<unknown>(
    {
      statements: statementsOf(execute, quoted),
      rowsOf: result => result as Rows,
      changedBy: result => (result as Changed).affectedRows,
      makeTable: () => makeTable(execute, table, quoted),
      noSuchTable: 'ER_NO_SUCH_TABLE',
    },
    opened,
  );
  return {
    ...store,
    // A pool without the flag FOUND_ROWS does not count a record that was later already.
    touch: async (key, lastSeenAt, expiresAt) =>
      (await store.touch(key, lastSeenAt, expiresAt)) || (await store.read(key)) !== null,
  };
}

/** ?, ?, … */
function places(count: number): string {
  return Array(count).fill('?').join(', ');
}

function statementsOf(execute: Execute, table: string): SqlStatements<unknown> {
  const all = ['`key`', ...COLUMNS].join(', ');
  /** Text is sent as its bytes, as the table keeps it. */
  const prepare =
    (sql: string) =>
    (...values: readonly SqlValue[]) =>
      execute(
        sql,
        values.map(value => (typeof value === 'string' ? Buffer.from(value) : value)),
      );
  // Not INSERT IGNORE, which would also cut short or invent what does not fit.
  const insert = prepare(`INSERT INTO ${table} (${all}) VALUES (${places(COLUMNS.length + 1)})`);
  /** A limit is put into the text, because not all versions take it as a value. */
  const limited = (sql: string) => (value: SqlValue, limit: number) => prepare(`${sql} LIMIT ${Number(limit)}`)(value);
  return {
    read: size => prepare(`SELECT ${all} FROM ${table} WHERE \`key\` IN (${places(size)})`),
    create: (...values) =>
      insert(...values).catch((error: unknown): Changed => {
        if (codeOf(error) === DUPLICATE) return { affectedRows: 0 };
        throw error;
      }),
    replace: prepare(
      `UPDATE ${table} SET ${COLUMNS.map(name => `${name} = ?`).join(', ')} WHERE \`key\` = ? AND version = ?`,
    ),
    touch: prepare(
      `UPDATE ${table} SET last_seen_at = GREATEST(last_seen_at, ?), expires_at = GREATEST(expires_at, ?) WHERE \`key\` = ?`,
    ),
    delete: prepare(`DELETE FROM ${table} WHERE \`key\` = ?`),
    byUser: prepare(`SELECT ${all} FROM ${table} WHERE user_id = ?`),
    deleteByUser: prepare(`DELETE FROM ${table} WHERE user_id = ? AND NOT (\`key\` <=> ?)`),
    // No text that is empty: Oracle's mode of MariaDB takes it for NULL, and nothing follows that.
    page: limited(`SELECT ${all} FROM ${table} WHERE \`key\` > COALESCE(?, x'') ORDER BY \`key\``),
    count: prepare(`SELECT COUNT(*) AS live FROM ${table} WHERE expires_at > ?`),
    prune: limited(`DELETE FROM ${table} WHERE expires_at <= ? ORDER BY expires_at`),
  };
}
