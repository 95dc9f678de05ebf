/** The table of sessions, made and brought up to date by whichever process comes first. */
import { newerSchema } from './sql-schema.ts';
import type { SqliteDatabase } from './sqlite-driver.ts';

/**
 * Step n leads from version n to n + 1. Steps that were released are never changed: a new version is a new step.
 *
 * The table has row ids: with rows of 1 kB `WITHOUT ROWID` took two to three times as long, for reads and for writes, and three
 * times the space. `data` comes last, so that a record's other columns are found without walking through its text.
 */
const STEPS = [
  `CREATE TABLE madeleine_sessions (
     key TEXT NOT NULL PRIMARY KEY,
     version INTEGER NOT NULL,
     user_id TEXT,
     created_at INTEGER NOT NULL,
     authenticated_at INTEGER,
     last_seen_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL,
     remember INTEGER NOT NULL,
     device TEXT,
     successor TEXT,
     data TEXT NOT NULL
   ) STRICT;
   CREATE INDEX madeleine_sessions_user_id ON madeleine_sessions (user_id) WHERE user_id IS NOT NULL;
   CREATE INDEX madeleine_sessions_expires_at ON madeleine_sessions (expires_at);`,
];

/** Deletes what has expired at a moment, at most so many: `now`, `limit`. */
export const PRUNE = `DELETE FROM madeleine_sessions WHERE rowid IN
  (SELECT rowid FROM madeleine_sessions WHERE expires_at <= ? LIMIT ?)`;

/**
 * Makes the schema, or completes an older one. Processes that start at once do it one after the other.
 *
 * The version has a table of its own: `PRAGMA user_version` belongs to the application, which may keep its own tables in
 * the same file.
 *
 * @throws MadeleineError `ERR_STORE_INVALID` when the schema is newer than this code
 */
export function migrate(database: SqliteDatabase): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec('CREATE TABLE IF NOT EXISTS madeleine_schema (version INTEGER NOT NULL) STRICT');
    const { version } = database.prepare('SELECT coalesce(max(version), 0) AS version FROM madeleine_schema').get() as {
      version: number | bigint;
    };
    if (version > STEPS.length) throw newerSchema(version, STEPS.length);
    // A start with the schema of this version writes nothing: it succeeds on a full disk, too.
    if (version < STEPS.length) {
      for (const step of STEPS.slice(Number(version))) database.exec(step);
      database.exec(`INSERT INTO madeleine_schema VALUES (${STEPS.length})`);
    }
    database.exec('COMMIT');
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

/** Some errors, such as a full disk, make SQLite do this by itself: then it refuses, which must not hide the error. */
function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK');
  } catch {}
}
