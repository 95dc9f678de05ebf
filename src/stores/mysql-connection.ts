/** How the store talks to MySQL and MariaDB: prepared statements on connections that answer, errors with a remedy. */
import type { Socket } from 'node:net';
import { withDeadline } from '../deadline.ts';
import { loadPeer } from './load-peer.ts';
import { checkEncoding } from './server-store.ts';
import { codeOf, REMEDY, type Remedies, running } from './sql-errors.ts';
import { CONNECT_TIMEOUT, checkUrl, PoolSockets, STATEMENT_TIMEOUT } from './sql-server.ts';

export type MysqlValue = string | number | Buffer | null;

export interface MysqlStatement {
  sql: string;
  values: MysqlValue[];
  rowsAsArray: boolean;
  nestTables: boolean;
  typeCast?: TypeCast;
}
type TypeCast = (field: unknown, next: () => unknown) => unknown;

/** What the store needs of a pool of `mysql2`. */
export interface MysqlPool {
  getConnection(callback: (error: Error | null, connection: MysqlPoolConnection) => void): void;
}

export interface MysqlPoolConnection {
  /** How the application wants its own values. */
  readonly config: { readonly typeCast?: unknown };
  execute(statement: MysqlStatement, callback: (error: Error | null, result: unknown) => void): unknown;
  /** Its socket. */
  readonly stream?: { destroy(): void } | undefined;
  release(): void;
  destroy(): void;
}

/** A pool of `mysql2/promise` wraps one with callbacks. The store uses that one: a wrapped call costs another object and a stack trace. */
export interface MysqlPromisePool {
  readonly pool: MysqlPool;
}

export interface OpenedPool extends MysqlPool {
  end(): Promise<void>;
}

interface Pool extends MysqlPool {
  on(event: 'connection', listener: (connection: NodeJS.EventEmitter & { stream: Socket }) => void): unknown;
  promise(): { end(): Promise<void> };
}

export function openPool(url: string): OpenedPool {
  checkUrl(url, ['mysql:', 'mariadb:'], 'mysql://user:password@localhost:3306/database');
  checkEncoding(new URL(url));
  const { createPool } = loadPeer('mysql2') as { createPool(options: object): Pool };
  const pool = createPool({ uri: url, connectTimeout: CONNECT_TIMEOUT });
  // The pool listens for the first error of a connection and drops it; a second one would end the process.
  const sockets = new PoolSockets();
  pool.on('connection', connection => {
    connection.on('error', () => {});
    sockets.add(connection.stream);
  });
  return {
    getConnection: callback => pool.getConnection(callback),
    end: () => sockets.leave(pool.promise().end()),
  };
}

/** The rows of a SELECT. */
export type Rows = object[];
/** What became of a change. */
export interface Changed {
  affectedRows: number;
}

/** Runs one statement, in one round trip once the connection has prepared it. */
export type Execute = (sql: string, values?: MysqlValue[]) => Promise<unknown>;

export const DUPLICATE = 'ER_DUP_ENTRY';
/** The transaction, which is the statement, was undone: a deadlock, or MariaDB's snapshot isolation. */
const UNDONE = ['ER_LOCK_DEADLOCK', 'ER_CHECKREAD'];
/** After these errors the connection is as good as before. */
const ANSWERS = [DUPLICATE, ...UNDONE];

const REMEDIES: Remedies = {
  ER_ACCESS_DENIED_ERROR: REMEDY.refused,
  ER_HOST_NOT_PRIVILEGED: REMEDY.refused,
  ER_BAD_DB_ERROR: REMEDY.noDatabase,
  ER_NO_DB_ERROR: REMEDY.noDatabase,
  ER_DBACCESS_DENIED_ERROR: REMEDY.noRights,
  ER_TABLEACCESS_DENIED_ERROR: REMEDY.noRights,
  ER_BAD_FIELD_ERROR: REMEDY.foreignTable,
  ER_NET_PACKET_TOO_LARGE: [
    'ERR_STORE_FAILED',
    'A session is larger than the server takes in one piece.',
    'Raise its max_allowed_packet, or lower "maxDataSize".',
  ],
  ER_OPTION_PREVENTS_STATEMENT: REMEDY.readOnly,
  ER_READ_ONLY_MODE: REMEDY.readOnly,
  ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION: REMEDY.readOnly,
  ER_CON_COUNT_ERROR: REMEDY.noConnection,
  ER_TOO_MANY_USER_CONNECTIONS: REMEDY.noConnection,
  ER_USER_LIMIT_REACHED: REMEDY.noConnection,
};

/** What an application sets for its own statements is not for ours. */
const PLAIN = { rowsAsArray: false, nestTables: false };
/** In place of an application's own: it can only be replaced, and not switched off. It is called for each value, which takes a µs. */
const asItIs: TypeCast = (_field, next) => next();

export function connect(pool: MysqlPool): Execute {
  async function execute(sql: string, values: MysqlValue[]): Promise<unknown> {
    const start = performance.now();
    const connection = await connectionOf(pool);
    if (performance.now() - start > STATEMENT_TIMEOUT) {
      connection.release();
      throw tooLate();
    }
    try {
      const result = await withDeadline(answerOf(connection, sql, values), STATEMENT_TIMEOUT, tooLate);
      connection.release();
      return result;
    } catch (error) {
      // It may be busy for ever, or lead to a server that has become a replica.
      if (ANSWERS.includes(codeOf(error) ?? '')) connection.release();
      else breakOff(connection);
      throw error;
    }
  }

  return (sql, values = []) => running(() => execute(sql, values), UNDONE, REMEDIES);
}

/** mysql2's destroy() ends its own side alone, and the socket of a server that hangs would stay. */
function breakOff(connection: MysqlPoolConnection): void {
  connection.destroy();
  connection.stream?.destroy();
}

function connectionOf(pool: MysqlPool): Promise<MysqlPoolConnection> {
  return new Promise((resolve, reject) => {
    pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection)));
  });
}

function answerOf(connection: MysqlPoolConnection, sql: string, values: MysqlValue[]): Promise<unknown> {
  const statement: MysqlStatement = { sql, values, ...PLAIN };
  const { typeCast } = connection.config;
  if (typeCast !== undefined && typeCast !== true) statement.typeCast = asItIs;
  return new Promise((resolve, reject) => {
    connection.execute(statement, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

function tooLate(): Error {
  return new Error(`The server did not answer within ${STATEMENT_TIMEOUT} ms.`);
}
