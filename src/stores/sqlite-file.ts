/** Opens an SQLite file for the store: private, safe with several processes, and as durable as asked. */
import { closeSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { MadeleineError } from '../errors.ts';
import { loadSqlite, type SqliteDatabase } from './sqlite-driver.ts';

/** What an acknowledged write survives: the end of this process, or a loss of power too. */
export type Durability = 'process' | 'power';

/** How long a process waits for another one that is writing, in milliseconds. */
const BUSY_TIMEOUT = 5_000;
const WAL_RETRY = 10;

export function openFile(path: string, durability: Durability): SqliteDatabase {
  const Driver = loadSqlite();
  // Resolved, so that no driver takes "file:..." for a URI or trims spaces.
  const file = path === ':memory:' ? path : resolve(path);
  try {
    if (file !== ':memory:') createPrivate(file);
    return configured(new Driver(file), durability);
  } catch (cause) {
    throw unusable(file, cause);
  }
}

/**
 * Makes the file, if there is none, readable by its owner only; SQLite gives its two companions the same mode.
 *
 * An existing file is never opened here: closing it again would drop the locks that this process holds on it through
 * SQLite (https://www.sqlite.org/howtocorrupt.html, section 2.2).
 */
function createPrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function configured(database: SqliteDatabase, durability: Durability): SqliteDatabase {
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
    enterWal(database);
    database.exec(`PRAGMA synchronous = ${durability === 'power' ? 'FULL' : 'NORMAL'}`);
    // On macOS an ordinary fsync leaves the bytes in the drive's cache. Elsewhere this changes nothing.
    if (durability === 'power') database.exec('PRAGMA fullfsync = ON');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Entering WAL mode needs the file for itself, and for that SQLite does not wait: two processes that start at once on a
 * new file would be told that it is locked. So this waits in its place.
 */
function enterWal(database: SqliteDatabase): void {
  for (let waited = 0; ; waited += WAL_RETRY) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (!isLocked(String(error)) || waited >= BUSY_TIMEOUT) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAL_RETRY);
    }
  }
}

/** The error for a database that cannot be used, with what to do about it. */
export function unusable(name: string, cause: unknown): MadeleineError {
  if (cause instanceof MadeleineError) return cause;
  // Both drivers pass on SQLite's own messages; their codes differ.
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new MadeleineError('ERR_STORE_INVALID', `SQLite cannot use ${name}: ${reason}.`, remedyFor(reason), { cause });
}

function remedyFor(reason: string): string {
  if (/not a database|malformed/.test(reason)) {
    return 'The file is damaged, or is something else: give another path, or restore it from a backup.';
  }
  if (/disk is full/.test(reason)) return 'Make room on the disk, then start again.';
  if (/within a transaction/.test(reason)) return 'Make the store while no transaction is open on it.';
  if (isLocked(reason)) return 'Another process holds a long transaction on it: end that, then start again.';
  return 'Give the path of a file in a folder that exists; this process must be allowed to write to both.';
}

function isLocked(reason: string): boolean {
  return /locked|busy/.test(reason);
}
