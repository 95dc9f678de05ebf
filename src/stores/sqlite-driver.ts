/** Which SQLite driver this runtime has, and what the store needs of it. */
import { MadeleineError } from '../errors.ts';
import { loadPeer } from './load-peer.ts';

export type SqliteValue = string | number | null;

/** A prepared statement. Values are bound by position. */
export interface SqliteStatement {
  get(...values: SqliteValue[]): unknown;
  all(...values: SqliteValue[]): unknown[];
  run(...values: SqliteValue[]): { changes: number | bigint };
}

/** An open database: a `DatabaseSync` of `node:sqlite`, a `Database` of `better-sqlite3` or of `bun:sqlite`. */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  close(): unknown;
}

export type SqliteDriver = new (path: string) => SqliteDatabase;

/**
 * What the runtime brings along, else `better-sqlite3`.
 *
 * @throws MadeleineError `ERR_DRIVER_MISSING` when there is neither, `ERR_DRIVER_UNSUPPORTED` when it cannot work here
 */
export function loadSqlite(): SqliteDriver {
  const builtin = process.getBuiltinModule?.('node:sqlite') as { DatabaseSync: SqliteDriver } | undefined;
  if (builtin) return builtin.DatabaseSync;
  const wanted = LATEST_CRASHES ? 'better-sqlite3@12' : 'better-sqlite3';
  refuseCrashing(loadPeer('better-sqlite3', 'better-sqlite3/package.json', wanted) as { version: string });
  const driver = loadPeer('better-sqlite3') as SqliteDriver;
  tryOut(driver);
  return driver;
}

/** From version 13 on better-sqlite3 installs on Node 20 with a mere warning, and then crashes the process when it opens a file. */
const LATEST_CRASHES = Number.parseInt(process.versions.node, 10) < 22;

function refuseCrashing({ version }: { version: string }): void {
  if (!LATEST_CRASHES || Number.parseInt(version, 10) < 13) return;
  throw new MadeleineError(
    'ERR_DRIVER_UNSUPPORTED',
    `better-sqlite3 ${version} crashes on Node ${process.versions.node}.`,
    'Run: npm install better-sqlite3@12, or use Node 22 or later.',
  );
}

/** The compiled part is loaded by the first opening: done in memory, a failure cannot be mistaken for one of the file. */
function tryOut(driver: SqliteDriver): void {
  try {
    new driver(':memory:').close();
  } catch (cause) {
    const isForbidden = (cause as NodeJS.ErrnoException).code === 'ERR_DLOPEN_DISABLED';
    throw new MadeleineError(
      'ERR_DRIVER_UNSUPPORTED',
      isForbidden
        ? 'better-sqlite3 is compiled code, which this process was told not to load.'
        : `better-sqlite3 is installed, but was not compiled for Node ${process.versions.node} on this machine.`,
      isForbidden ? 'Start Node without --no-addons, or with --allow-addons.' : 'Run: npm rebuild better-sqlite3',
      { cause },
    );
  }
}
