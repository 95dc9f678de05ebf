// The database servers, as the tests that are the same for all of them need them.
import { type MysqlPool, type MysqlPoolConnection, mysqlStore } from 'madeleine/mysql';
import { type PostgresPool, postgresStore, type ServerStore } from 'madeleine/postgres';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { startMariadb } from '../../servers/mariadb.ts';
import { need } from '../../servers/need.ts';
import { startPostgres } from '../../servers/postgres.ts';
import type { SqlServer, SqlServerOptions } from '../../servers/sql-server.ts';

export interface SqlKind {
  kind: 'postgres' | 'mysql';
  skip: string | false;
  start(options?: SqlServerOptions): Promise<SqlServer>;
  open(url: string, options?: { table?: string }): ServerStore;
  /** A store over a pool of the test's own, which counts the store's statements. */
  openPool(
    url: string,
    connections?: number,
  ): {
    store: ServerStore;
    statements(): number;
    run(sql: string): Promise<unknown>;
    end(): Promise<void>;
  };
  /** A store on a server of this version, which cannot be run here. */
  openOld(version: string): ServerStore;
  /** Runs statements one after the other on a connection of its own; answers with the rows of the last. */
  run(url: string, ...statements: string[]): Promise<Array<Record<string, unknown>>>;
  /** Opens a transaction on a connection of its own, for what the store has to wait for. */
  begin(url: string): Promise<Transaction>;
  /** The column of the keys, as the server's SQL has it. */
  key: string;
  /** How many other connections the database has. */
  connections: string;
  /** How many transactions wait for a lock. */
  blocked: string;
  createUser(user: string): string;
  grantAll(user: string): string;
  setComment(text: string): string;
  /** Has the server undo every UPDATE of a session from now on, as if others were in its way. */
  undoUpdates: string;
}

export interface Transaction {
  run(sql: string): Promise<unknown>;
  commit(): Promise<void>;
}

export const SERVERS: readonly SqlKind[] = [
  {
    kind: 'postgres',
    skip: need('postgres'),
    start: startPostgres,
    open: postgresStore,
    openPool(url, connections = 10) {
      const pool = new pg.Pool({ connectionString: url, max: connections });
      let count = 0;
      const counting: PostgresPool = {
        query(statement) {
          count++;
          return pool.query(statement);
        },
      };
      const store = postgresStore(counting);
      return { store, statements: () => count, run: sql => pool.query(sql), end: () => pool.end() };
    },
    openOld(version) {
      const row = { server: `PostgreSQL ${version} on x86_64`, number: `${Number.parseInt(version, 10)}0024` };
      const pool: PostgresPool = {
        query: async () => ({
          rows: [{ ...row, one: '1', encoding: 'UTF8', present: false, comment: null }],
          rowCount: 1,
        }),
      };
      return postgresStore(pool);
    },
    async run(url, ...statements) {
      const client = new pg.Client(url);
      await client.connect();
      let rows: Array<Record<string, unknown>> = [];
      try {
        for (const statement of statements) rows = (await client.query(statement)).rows;
      } finally {
        await client.end();
      }
      return rows;
    },
    async begin(url) {
      const client = new pg.Client(url);
      await client.connect();
      // In a deadlock it is not this one that gives up.
      await client.query("BEGIN; SET LOCAL deadlock_timeout = '1h'");
      return {
        run: sql => client.query(sql),
        async commit() {
          await client.query('COMMIT');
          await client.end();
        },
      };
    },
    key: 'key',
    blocked:
      "SELECT count(*)::int AS count FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
    connections:
      "SELECT count(*)::int AS count FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND datname = current_database()",
    createUser: user => `CREATE ROLE ${user} LOGIN PASSWORD 'secret'`,
    grantAll: user =>
      `GRANT CREATE ON SCHEMA public TO ${user}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${user}`,
    setComment: text => `COMMENT ON TABLE madeleine_sessions IS '${text}'`,
    undoUpdates: `CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '40001'; END $$;
      CREATE TRIGGER undone BEFORE UPDATE ON madeleine_sessions FOR EACH ROW EXECUTE FUNCTION undo()`,
  },
  {
    kind: 'mysql',
    skip: need('mariadb'),
    start: startMariadb,
    open: mysqlStore,
    openPool(url, connections = 10) {
      const pool = mysql.createPool({ uri: url, connectionLimit: connections });
      let count = 0;
      const counting: MysqlPool = {
        getConnection(callback) {
          pool.pool.getConnection((error, connection) => {
            if (error) return callback(error, connection);
            callback(null, {
              config: connection.config,
              execute(statement, answer) {
                count++;
                return connection.execute(statement as mysql.QueryOptions, answer);
              },
              release: () => connection.release(),
              destroy: () => connection.destroy(),
            });
          });
        },
      };
      const store = mysqlStore(counting);
      return { store, statements: () => count, run: sql => pool.query(sql), end: () => pool.end() };
    },
    openOld(version) {
      const connection: MysqlPoolConnection = {
        config: {},
        execute: (_statement, answer) => answer(null, [{ server: version, autocommit: 1, comment: null }]),
        release() {},
        destroy() {},
      };
      const pool: MysqlPool = { getConnection: callback => callback(null, connection) };
      return mysqlStore(pool);
    },
    async run(url, ...statements) {
      const connection = await mysql.createConnection({ uri: url, multipleStatements: true });
      let rows: unknown = [];
      try {
        for (const statement of statements) [rows] = await connection.query(statement);
      } finally {
        await connection.end();
      }
      return rows as Array<Record<string, unknown>>;
    },
    async begin(url) {
      const connection = await mysql.createConnection(url);
      await connection.beginTransaction();
      return {
        run: sql => connection.query(sql),
        async commit() {
          await connection.commit();
          await connection.end();
        },
      };
    },
    key: '`key`',
    blocked:
      "SELECT CAST(count(*) AS SIGNED) AS count FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
    connections:
      'SELECT CAST(count(*) AS SIGNED) AS count FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()',
    createUser: user => `CREATE USER ${user}@'127.0.0.1' IDENTIFIED BY 'secret'`,
    grantAll: user => `GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON *.* TO ${user}@'127.0.0.1'`,
    setComment: text => `ALTER TABLE madeleine_sessions COMMENT = '${text}'`,
    undoUpdates:
      "CREATE TRIGGER undone BEFORE UPDATE ON madeleine_sessions FOR EACH ROW SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213",
  },
];
