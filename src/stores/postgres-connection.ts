/** How the store talks to Postgres: statements prepared where that works, tried again where that is safe, errors with a remedy. */
import type { Socket } from 'node:net';
import { sha256 } from '../crypto/token.ts';
import { loadPeer } from './load-peer.ts';
import { storeClosed } from './server-store.ts';
import { codeOf, REMEDY, type Remedies, running } from './sql-errors.ts';
import type { SqlValue } from './sql-record.ts';
import { CONNECT_TIMEOUT, checkUrl, PoolSockets, STATEMENT_TIMEOUT } from './sql-server.ts';

export interface PostgresStatement {
  /** The name to prepare it under; without one it is prepared for this once. */
  readonly name?: string;
  readonly text: string;
  readonly values?: SqlValue[];
  /** In milliseconds. */
  readonly query_timeout?: number;
  /** How what is answered is read, whatever the pool is set to. */
  readonly types?: PostgresTypes;
}

export interface PostgresTypes {
  getTypeParser(oid: number): (text: string) => unknown;
}

export interface PostgresResult {
  rows: object[];
  /** How many rows were found or changed. */
  rowCount: number | null;
}

/** What the store needs of a pool; a `Pool` of `pg` has it. */
export interface PostgresPool {
  query(statement: PostgresStatement): Promise<PostgresResult>;
}

export interface OpenedPool extends PostgresPool {
  end(): Promise<void>;
}

interface Pool extends OpenedPool {
  on(event: 'error', listener: () => void): unknown;
  on(event: 'connect', listener: (client: { connection?: { stream: Socket } }) => void): unknown;
}

export function openPool(url: string): OpenedPool {
  checkUrl(url, ['postgres:', 'postgresql:'], 'postgres://user:password@localhost:5432/database');
  const { Pool } = loadPeer('pg') as { Pool: new (options: object) => Pool };
  const pool = new Pool({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT, keepAlive: true });
  // Says that an idle connection broke. The next call opens another; without a listener it would end the process.
  pool.on('error', () => {});
  const sockets = new PoolSockets();
  // Of pg-native (NODE_PG_FORCE_NATIVE) the socket is not ours to see.
  pool.on('connect', ({ connection }) => connection && sockets.add(connection.stream));
  let ended = false;
  return {
    query: statement => (ended ? Promise.reject(storeClosed('Postgres')) : pool.query(statement)),
    end() {
      ended = true;
      return sockets.leave(pool.end());
    },
  };
}

const BOOLEAN = 16;
const asBoolean = (text: string) => text === 't';
const asText = (text: string) => text;

/** What an application sets for its own values is not for ours: parsers for booleans, numbers, or all text. */
const PLAIN: PostgresTypes = { getTypeParser: oid => (oid === BOOLEAN ? asBoolean : asText) };

/** Runs one statement in one round trip. */
export type Statement = (...values: SqlValue[]) => Promise<PostgresResult>;

export interface PostgresConnection {
  prepare(text: string): Statement;
  /** Runs statements without values as one transaction. */
  script(text: string): Promise<unknown>;
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
const UNDONE = ['40001', '40P01'];

const REMEDIES: Remedies = {
  '28P01': REMEDY.refused,
  '28000': REMEDY.refused,
  '3D000': REMEDY.noDatabase,
  '3F000': [
    'ERR_STORE_INVALID',
    'The schema for the table of sessions does not exist.',
    'Create it with CREATE SCHEMA, or correct option "schema".',
  ],
  '42501': REMEDY.noRights,
  '42703': REMEDY.foreignTable,
  '42883': REMEDY.foreignTable,
  '53300': REMEDY.noConnection,
  '25006': REMEDY.readOnly,
};

export function connect(pool: PostgresPool): PostgresConnection {
  let prepares = true;

  function query(named: PostgresStatement, unnamed: PostgresStatement, values: SqlValue[]): Promise<PostgresResult> {
    if (!prepares) return pool.query(withValues(unnamed, values));
    return pool.query(withValues(named, values)).catch((error: unknown) => {
      const code = codeOf(error);
      if (code === NO_SUCH_STATEMENT || code === STATEMENT_EXISTS) prepares = false;
      else if (code !== STALE_PLAN) throw error;
      return pool.query(withValues(unnamed, values));
    });
  }

  return {
    prepare(text) {
      const unnamed: PostgresStatement = { text, query_timeout: STATEMENT_TIMEOUT, types: PLAIN };
      // Named after its text: behind a pooler the same name may have been given by another application.
      const named: PostgresStatement = { ...unnamed, name: `madeleine_${sha256(text)}` };
      return (...values) => running(() => query(named, unnamed, values), UNDONE, REMEDIES);
    },
    script: text => running(() => pool.query({ text }), UNDONE, REMEDIES),
  };
}

/** What stays the same stands in the prototype: pg copies the statement's own properties one by one, a µs each when cold. */
function withValues(statement: PostgresStatement, values: SqlValue[]): PostgresStatement {
  return Object.assign(Object.create(statement), { values });
}
