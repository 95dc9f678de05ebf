import { MadeleineError } from '../errors.ts';
import { checkChoice, checkOptions } from '../options.ts';
import type { SessionRecord } from '../session/record.ts';
import type { Replaced, SessionStore, StoreAdmin } from '../session/store.ts';
import { COLUMNS, entriesOf, pageOf, recordOf, type SessionRow, valuesOf } from './sql-record.ts';
import type { SqliteDatabase, SqliteStatement, SqliteValue } from './sqlite-driver.ts';
import { type Durability, openFile, unusable } from './sqlite-file.ts';
import { createPruner } from './sqlite-pruning.ts';
import { migrate, PRUNE } from './sqlite-schema.ts';

export type { SqliteDatabase, SqliteStatement, SqliteValue } from './sqlite-driver.ts';

export interface SqliteStoreOptions {
  /**
   * What a write that was acknowledged survives. `'process'`: the end of this process, `kill -9` included; if the machine
   * itself goes down, the last writes before may be lost. `'power'`: that too, for one fsync per write. Default `'process'`.
   * Only for a path: an open database has its own settings.
   */
  durability?: Durability | undefined;
}

/**
 * Keeps sessions in an SQLite file, which several processes of one machine may share.
 *
 * @param database the path of the file, made with mode 0600 when there is none (`':memory:'` for none at all), or an open
 *   database, whose settings are left as they are and which `close()` leaves open
 * @throws MadeleineError `ERR_DRIVER_MISSING` or `ERR_DRIVER_UNSUPPORTED` when no SQLite can be loaded,
 *   `ERR_STORE_INVALID` when the file or what is in it cannot be used, `ERR_OPTION_*` for wrong options
 */
export function sqliteStore(
  database: string | SqliteDatabase,
  options: SqliteStoreOptions = {},
): SessionStore & { readonly admin: StoreAdmin; close(): void } {
  const { durability } = checkOptions(options, ['durability'], 'sqliteStore');
  if (typeof database === 'string') {
    checkChoice('durability', durability ?? 'process', ['process', 'power']);
    const opened = openFile(checkPath(database), durability ?? 'process');
    try {
      return createStore(opened, () => opened.close(), database === ':memory:' ? null : database);
    } catch (cause) {
      opened.close();
      throw unusable(database, cause);
    }
  }
  if (durability !== undefined) {
    throw new MadeleineError(
      'ERR_OPTION_CONFLICT',
      'Option "durability" applies to a path; this database is open already.',
      'Set PRAGMA synchronous on the database itself, or pass its path.',
    );
  }
  if (typeof database?.prepare !== 'function' || typeof database.exec !== 'function') {
    throw new MadeleineError(
      'ERR_STORE_INVALID',
      'This is neither a path nor an open SQLite database.',
      "Call sqliteStore('sessions.db').",
    );
  }
  try {
    return createStore(database, () => {}, null);
  } catch (cause) {
    throw unusable('the database it was given', cause);
  }
}

function createStore(
  database: SqliteDatabase,
  release: () => void,
  path: string | null,
): SessionStore & { readonly admin: StoreAdmin; close(): void } {
  migrate(database);
  const statements = prepareAll(database);
  let closed = false;

  const pruneHere = (now: number, limit: number) => change(statements.prune, now, limit);
  const pruner = path === null ? null : createPruner(path, pruneHere);

  function read(key: string): SessionRecord | null {
    const row = statements.read.get(key) as SessionRow | null | undefined;
    return row ? recordOf(row) : null;
  }

  /** Runs a statement and says how many rows it changed. */
  const change = (statement: SqliteStatement, ...values: SqliteValue[]) => Number(statement.run(...values).changes);

  return {
    read,

    create: (key, record) => change(statements.create, key, ...valuesOf(record)) === 1,

    replace(key, record, expected): Replaced {
      const values = valuesOf(record);
      const others = values.slice(1, -1);
      for (;;) {
        // Nearly every write changes the data alone. SQLite writes the index of a column that is set, changed or not: a third of the time.
        if (change(statements.replaceData, record.version, record.data, key, expected, ...others) === 1) {
          return { ok: true };
        }
        if (change(statements.replace, ...values, key, expected) === 1) return { ok: true };
        const current = read(key);
        // The very version, a moment after it was not there: another process put it back in between. Compare again.
        if (current?.version !== expected) return { ok: false, current };
      }
    },

    touch: (key, lastSeenAt, expiresAt) => change(statements.touch, lastSeenAt, expiresAt, key) === 1,

    delete: key => change(statements.delete, key) === 1,

    admin: {
      byUser: userId => entriesOf(statements.byUser.all(userId) as SessionRow[]),
      deleteByUser: (userId, except) => change(statements.deleteByUser, userId, except ?? null),
      page: (cursor, limit) => pageOf(statements.page.all(cursor ?? '', limit) as SessionRow[], limit),
      count: now => Number((statements.count.get(now) as { live: number }).live),
      prune: pruner?.prune ?? pruneHere,
    },

    close() {
      if (closed) return;
      closed = true;
      pruner?.stop();
      release();
    },
  };
}

function prepareAll(database: SqliteDatabase) {
  const all = `key, ${COLUMNS.join(', ')}`;
  const others = COLUMNS.slice(1, -1);
  const prepare = (sql: string) => plainNumbers(database.prepare(sql));
  return {
    read: prepare(`SELECT ${all} FROM madeleine_sessions WHERE key = ?`),
    create: prepare(
      `INSERT INTO madeleine_sessions (${all}) VALUES (?${', ?'.repeat(COLUMNS.length)}) ON CONFLICT (key) DO NOTHING`,
    ),
    replace: prepare(
      `UPDATE madeleine_sessions SET ${COLUMNS.map(name => `${name} = ?`).join(', ')} WHERE key = ? AND version = ?`,
    ),
    replaceData: prepare(
      `UPDATE madeleine_sessions SET version = ?, data = ? WHERE key = ? AND version = ?
         AND (${others.join(', ')}) IS (${others.map(() => '?').join(', ')})`,
    ),
    touch: prepare(
      'UPDATE madeleine_sessions SET last_seen_at = max(last_seen_at, ?), expires_at = max(expires_at, ?) WHERE key = ?',
    ),
    delete: prepare('DELETE FROM madeleine_sessions WHERE key = ?'),
    byUser: prepare(`SELECT ${all} FROM madeleine_sessions WHERE user_id = ?`),
    deleteByUser: prepare('DELETE FROM madeleine_sessions WHERE user_id = ? AND key IS NOT ?'),
    page: prepare(`SELECT ${all} FROM madeleine_sessions WHERE key > ? ORDER BY key LIMIT ?`),
    count: prepare('SELECT count(*) AS live FROM madeleine_sessions WHERE expires_at > ?'),
    prune: prepare(PRUNE),
  };
}

/** An open database may be set to answer with BigInt; times and versions fit in a number. */
function plainNumbers(statement: SqliteStatement): SqliteStatement {
  const settings = statement as { safeIntegers?(on: boolean): void; setReadBigInts?(on: boolean): void };
  settings.safeIntegers?.(false);
  settings.setReadBigInts?.(false);
  return statement;
}

function checkPath(path: string): string {
  if (path.trim() !== '') return path;
  throw new MadeleineError(
    'ERR_STORE_INVALID',
    'The path of the SQLite file is empty.',
    "Give one, such as 'sessions.db', or ':memory:'.",
  );
}
