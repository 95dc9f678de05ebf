// Databases of the part `rows`, filled the fast way with just what the stores would write: compared after filling.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { postgresStore } from 'madeleine/postgres';
import { sqliteStore } from 'madeleine/sqlite';
import pg from 'pg';
import { startStore } from '../stores.mjs';
import { DATA_IN_SQL, keyOf, recordOf, userOf } from './records.mjs';

/** Each gives `filled(count)`, a store with the sessions 1 to `count`, all of them of different users, and `stop()`. */
export const databases = {
  SQLite() {
    const folder = mkdtempSync(path.join(tmpdir(), 'madeleine-scale-'));
    return {
      async filled(count) {
        const file = path.join(folder, `${count}.db`);
        fillFile(file, count);
        return sqliteStore(file);
      },
      async stop() {
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },

  async Postgres() {
    const server = await startStore('postgres');
    return {
      async filled(count) {
        const url = await server.createDatabase();
        const store = postgresStore(url);
        await store.ready();
        await fillTable(url, count);
        return store;
      },
      stop: () => server.stop(),
    };
  },
};

/** Through the store, within one transaction. */
function fillFile(file, count) {
  const database = new Database(file);
  for (const setting of ['journal_mode = OFF', 'synchronous = OFF', 'cache_size = -1000000']) database.pragma(setting);
  const store = sqliteStore(database);
  database.exec('BEGIN');
  for (let number = 1; number <= count; number++) store.create(keyOf(number), recordOf(number, userOf(number)));
  database.exec('COMMIT');
  database.close();
}

/** All within the server, where the same key is told by the same number. */
async function fillTable(url, count) {
  const client = new pg.Client(url);
  await client.connect();
  const { createdAt, expiresAt } = recordOf(0, null);
  await client.query(`
    INSERT INTO madeleine_sessions (key, version, user_id, created_at, authenticated_at, last_seen_at, expires_at, remember, data)
    SELECT translate(encode(sha256(n::text::bytea), 'base64'), '+/=', '-_'), 1, 'user-' || lpad(n::text, 10, '0'),
      ${createdAt}, ${createdAt}, ${createdAt}, ${expiresAt}, false, ${DATA_IN_SQL}
    FROM generate_series(1, ${count}) AS n`);
  await client.query('VACUUM ANALYZE madeleine_sessions');
  await client.query('CHECKPOINT');
  await client.end();
}
