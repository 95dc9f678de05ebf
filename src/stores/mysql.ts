import { MadeleineError } from '../errors.ts';
import { checkOptions } from '../options.ts';
import {
  type Changed,
  connect,
  DUPLICATE,
  type MysqlPool,
  type MysqlPromisePool,
  type OpenedPool,
  openPool,
  type Rows,
} from './mysql-connection.ts';
import { makeTable } from './mysql-schema.ts';
import { READ_SIZES, readTogether } from './read-together.ts';
import { once, type ServerStore } from './server-store.ts';
import { codeOf } from './sql-errors.ts';
import { COLUMNS, entriesOf, pageOf, type SessionRow, type SqlValue, valuesOf } from './sql-record.ts';
import { quoteName } from './sql-server.ts';
import { sqlTable } from './sql-table.ts';

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

/** Answered to a statement on a table that is not there. */
const NO_SUCH_TABLE = 'ER_NO_SUCH_TABLE';

function createStore(pool: MysqlPool, table: string, opened: OpenedPool | null): ServerStore {
  const execute = connect(pool);
  const quoted = quoteName(table, 'table', '`');
  const statements = textsFor(quoted);
  const onTable = sqlTable(() => makeTable(execute, table, quoted), NO_SUCH_TABLE);

  /** Runs a statement on the table, which is there by then. */
  function run(sql: string, values: SqlValue[]): Promise<unknown> {
    const sent = values.map(value => (typeof value === 'string' ? Buffer.from(value) : value));
    return onTable.run(() => execute(sql, sent));
  }

  const select = (sql: string, ...values: SqlValue[]) => run(sql, values) as Promise<Rows> as Promise<SessionRow[]>;
  /** Runs a statement and says how many rows it changed. */
  const change = (sql: string, ...values: SqlValue[]) =>
    run(sql, values).then(changed => (changed as Changed).affectedRows);

  const read = readTogether(keys => select(statements.read.get(keys.length) as string, ...keys));

  return {
    read,

    async create(key, record) {
      try {
        return (await change(statements.create, key, ...valuesOf(record))) === 1;
      } catch (error) {
        if (codeOf(error) === DUPLICATE) return false;
        throw error;
      }
    },

    replace: (key, record, expected) =>
      change(statements.replace, ...valuesOf(record), key, expected).then(changed =>
        changed === 1 ? { ok: true } : read(key).then(current => ({ ok: false, current })),
      ),

    async touch(key, lastSeenAt, expiresAt) {
      if ((await change(statements.touch, lastSeenAt, expiresAt, key)) === 1) return true;
      // A pool without the flag FOUND_ROWS does not count a record that was later already.
      return (await read(key)) !== null;
    },

    delete: async key => (await change(statements.delete, key)) === 1,

    admin: {
      byUser: async userId => entriesOf(await select(statements.byUser, userId)),
      deleteByUser: (userId, except) => change(statements.deleteByUser, userId, except ?? null),
      page: async (cursor, limit) => pageOf(await select(`${statements.page} LIMIT ${Number(limit)}`, cursor), limit),
      async count(now) {
        const [row] = await select(statements.count, now);
        return Number((row as object as { live: number | string }).live);
      },
      prune: (now, limit) => change(`${statements.prune} LIMIT ${Number(limit)}`, now),
    },

    ready: onTable.ready,
    close: once(() => onTable.end(opened)).done,
  };
}

/** ?, ?, … */
function places(count: number): string {
  return Array(count).fill('?').join(', ');
}

/** The statements. A limit is put into the text, because not all versions take it as a value. */
function textsFor(table: string) {
  const all = ['`key`', ...COLUMNS].join(', ');
  return {
    read: new Map(READ_SIZES.map(size => [size, `SELECT ${all} FROM ${table} WHERE \`key\` IN (${places(size)})`])),
    // Not INSERT IGNORE, which would also cut short or invent what does not fit.
    create: `INSERT INTO ${table} (${all}) VALUES (${places(COLUMNS.length + 1)})`,
    replace: `UPDATE ${table} SET ${COLUMNS.map(name => `${name} = ?`).join(', ')} WHERE \`key\` = ? AND version = ?`,
    touch: `UPDATE ${table} SET last_seen_at = GREATEST(last_seen_at, ?), expires_at = GREATEST(expires_at, ?) WHERE \`key\` = ?`,
    delete: `DELETE FROM ${table} WHERE \`key\` = ?`,
    byUser: `SELECT ${all} FROM ${table} WHERE user_id = ?`,
    deleteByUser: `DELETE FROM ${table} WHERE user_id = ? AND NOT (\`key\` <=> ?)`,
    // No text that is empty: Oracle's mode of MariaDB takes it for NULL, and nothing follows that.
    page: `SELECT ${all} FROM ${table} WHERE \`key\` > COALESCE(?, x'') ORDER BY \`key\``,
    count: `SELECT COUNT(*) AS live FROM ${table} WHERE expires_at > ?`,
    prune: `DELETE FROM ${table} WHERE expires_at <= ? ORDER BY expires_at`,
  };
}
