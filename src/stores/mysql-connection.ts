/** How the store talks to MySQL and MariaDB: prepared statements on connections that answer, errors with a remedy. */
import { withDeadline } from '../deadline.ts';
import { loadPeer } from './load-peer.ts';
import { codeOf, explained, REMEDY, type Remedies, retrying } from './sql-errors.ts';
import { CONNECT_TIMEOUT, checkUrl, STATEMENT_TIMEOUT } from './sql-server.ts';

export type MysqlValue = string | number | Buffer | null;

export interface MysqlStatement {
  sql: string;
  values: MysqlValue[];
  rowsAsArray: boolean;
  nestTables: boolean;
  typeCast(field: unknown, next: () => unknown): unknown;
}

/** What the store needs of a pool; a pool of `mysql2/promise` has it. */
export interface MysqlPool {
  getConnection(): Promise<MysqlPoolConnection>;
}

export interface MysqlPoolConnection {
  execute(statement: MysqlStatement): Promise<[result: unknown, fields: unknown]>;
  release(): void;
  destroy(): void;
}

/** A pool of `mysql2` with callbacks. */
export interface MysqlCallbackPool {
  promise(): MysqlPool;
}

interface OpenedPool extends MysqlPool {
  end(): Promise<void>;
}

interface Driver {
  createPool(options: object): {
    on(event: 'connection', listener: (connection: NodeJS.EventEmitter) => void): unknown;
    promise(): OpenedPool;
  };
}

export function openPool(url: string): OpenedPool {
  checkUrl(url, ['mysql:', 'mariadb:'], 'mysql://user:password@localhost:3306/database');
  const { createPool } = loadPeer('mysql2') as Driver;
  const pool = createPool({ uri: url, connectTimeout: CONNECT_TIMEOUT });
  // The pool listens for the first error of a connection and drops it; a second one would end the process.
  pool.on('connection', connection => connection.on('error', () => {}));
  return pool.promise();
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
  ER_CON_COUNT_ERROR: REMEDY.noConnection,
  ER_TOO_MANY_USER_CONNECTIONS: REMEDY.noConnection,
  ER_USER_LIMIT_REACHED: REMEDY.noConnection,
};

/** What an application sets for its own statements is not for ours. */
const PLAIN = { rowsAsArray: false, nestTables: false, typeCast: (_field: unknown, next: () => unknown) => next() };

export function connect(pool: MysqlPool): Execute {
  async function execute(sql: string, values: MysqlValue[]): Promise<unknown> {
    const start = performance.now();
    const connection = await pool.getConnection();
    if (performance.now() - start > STATEMENT_TIMEOUT) {
      connection.release();
      throw tooLate();
    }
    try {
      const [result] = await withDeadline(connection.execute({ sql, values, ...PLAIN }), STATEMENT_TIMEOUT, tooLate);
      connection.release();
      return result;
    } catch (error) {
      // It may be busy for ever, or lead to a server that has become a replica.
      if (ANSWERS.includes(codeOf(error) ?? '')) connection.release();
      else connection.destroy();
      throw error;
    }
  }

  return async (sql, values = []) => {
    try {
      return await retrying(UNDONE, () => execute(sql, values));
    } catch (error) {
      throw explained(error, REMEDIES);
    }
  };
}

function tooLate(): Error {
  return new Error(`The server did not answer within ${STATEMENT_TIMEOUT} ms.`);
}
