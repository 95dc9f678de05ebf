/** How the store talks to Postgres: statements prepared where that works, tried again where that is safe, errors with a remedy. */
import { sha256 } from '../crypto/token.ts';
import { loadPeer } from './load-peer.ts';
import type { SqlValue } from './sql-record.ts';
import {
  CONNECT_TIMEOUT,
  checkUrl,
  codeOf,
  explained,
  FOREIGN_TABLE,
  NO_CONNECTION_LEFT,
  type Remedies,
  retrying,
  STATEMENT_TIMEOUT,
} from './sql-server.ts';

export interface PostgresResult {
  rows: object[];
  /** How many rows were changed. */
  rowCount: number | null;
}

/** What the store needs of a pool; a `Pool` of `pg` has it. */
export interface PostgresPool {
  query(statement: { name?: string; text: string; values?: Array<string | number | null> }): Promise<PostgresResult>;
}

export interface OpenedPool extends PostgresPool {
  on(event: 'error', listener: () => void): unknown;
  end(): Promise<void>;
}

export function openPool(url: string): OpenedPool {
  checkUrl(url, ['postgres:', 'postgresql:'], 'postgres://user:password@localhost:5432/database');
  const { Pool } = loadPeer('pg') as { Pool: new (options: object) => OpenedPool };
  const pool = new Pool({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT, keepAlive: true });
  // Says that an idle connection broke. The next call opens another; without a listener it would end the process.
  pool.on('error', () => {});
  return pool;
}

/** Runs one statement in one round trip. */
export type Statement = (...values: SqlValue[]) => Promise<PostgresResult>;

export interface PostgresConnection {
  prepare(text: string): Statement;
  /** Runs statements without values as one transaction. */
  script(text: string): Promise<void>;
}

/**
 * A pooler between us and the server, such as PgBouncer in transaction mode, may lead each transaction to another server
 * connection. Older ones do not take care that it has our statements, and the server says that one is not there or is
 * there already. A table altered under a prepared statement is the third case. Nothing has been executed then.
 */
const NO_SUCH_STATEMENT = '26000';
const STATEMENT_EXISTS = '42P05';
const STALE_PLAN = '0A000';

/** Serialization failure and deadlock: the transaction, which is the statement, was undone. */
const UNDONE: readonly unknown[] = ['40001', '40P01'];

const refused = (what: string) =>
  [
    'ERR_STORE_INVALID',
    `The Postgres server refuses ${what}.`,
    'Correct user and password in the connection string; the server may also want TLS, or an entry in its pg_hba.conf.',
  ] as const;

const REMEDIES: Remedies = {
  '28P01': refused('the password'),
  '28000': refused('this user from here'),
  '3D000': [
    'ERR_STORE_INVALID',
    'The database does not exist.',
    'Create it with CREATE DATABASE, or correct its name in the connection string.',
  ],
  '3F000': [
    'ERR_STORE_INVALID',
    'The schema for the table of sessions does not exist.',
    'Create it with CREATE SCHEMA, or correct option "schema".',
  ],
  '42501': [
    'ERR_STORE_INVALID',
    'The database user lacks rights on the table of sessions.',
    'GRANT SELECT, INSERT, UPDATE, DELETE on it; to make it, GRANT CREATE on its schema.',
  ],
  '42703': FOREIGN_TABLE,
  '42883': FOREIGN_TABLE,
  '53300': NO_CONNECTION_LEFT,
};

export function connect(pool: PostgresPool): PostgresConnection {
  let prepares = true;

  async function query(text: string, values: SqlValue[], name?: string): Promise<PostgresResult> {
    const statement = { text, values, query_timeout: STATEMENT_TIMEOUT };
    if (name === undefined || !prepares) return pool.query(statement);
    try {
      return await pool.query({ name, ...statement });
    } catch (error) {
      const code = codeOf(error);
      if (code === NO_SUCH_STATEMENT || code === STATEMENT_EXISTS) prepares = false;
      else if (code !== STALE_PLAN) throw error;
      return pool.query(statement);
    }
  }

  async function run(text: string, values: SqlValue[], name?: string): Promise<PostgresResult> {
    try {
      return await retrying(
        () => query(text, values, name),
        error => UNDONE.includes(codeOf(error)),
      );
    } catch (error) {
      throw explained(error, REMEDIES);
    }
  }

  return {
    prepare(text) {
      // Named after its text: behind a pooler the same name may have been given by another application.
      const name = `madeleine_${sha256(text)}`;
      return (...values) => run(text, values, name);
    },
    async script(text) {
      await run(text, []);
    },
  };
}
