// The contestants: what each one mounts on the application. Each is imported only in the process that runs it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const secret = 'a-secret-that-is-long-enough-for-production';

export const VARIANTS = {
  bare: () => (_request, _response, next) => next(),

  async madeleine() {
    const { session } = await import('madeleine/express');
    return session({ secret });
  },

  async 'madeleine-sqlite'() {
    const { session } = await import('madeleine/express');
    const { sqliteStore } = await import('madeleine/sqlite');
    const folder = mkdtempSync(path.join(tmpdir(), 'madeleine-bench-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    return session({ secret, store: sqliteStore(path.join(folder, 'sessions.db')) });
  },

  async 'madeleine-redis'(url) {
    const { session } = await import('madeleine/express');
    const { redisStore } = await import('madeleine/redis');
    const { createClient } = await import('redis');
    return session({ secret, store: redisStore(await createClient({ url }).connect()) });
  },

  async 'madeleine-postgres'(url) {
    const { session } = await import('madeleine/express');
    const { postgresStore } = await import('madeleine/postgres');
    return session({ secret, store: postgresStore(url) });
  },

  async 'madeleine-mysql'(url) {
    const { session } = await import('madeleine/express');
    const { mysqlStore } = await import('madeleine/mysql');
    return session({ secret, store: mysqlStore(url) });
  },

  async 'express-session-redis'(url) {
    const { default: session } = await import('express-session');
    const { RedisStore } = await import('connect-redis');
    const { createClient } = await import('redis');
    const store = new RedisStore({ client: await createClient({ url }).connect() });
    return session({ secret, store, resave: false, saveUninitialized: false });
  },

  async 'express-session-postgres'(url) {
    const { default: session } = await import('express-session');
    const { default: connectPgSimple } = await import('connect-pg-simple');
    const PgStore = connectPgSimple(session);
    const store = new PgStore({ conString: url, createTableIfMissing: true });
    return session({ secret, store, resave: false, saveUninitialized: false });
  },

  async 'express-session-mysql'(url) {
    const { default: session } = await import('express-session');
    const { default: expressMysqlSession } = await import('express-mysql-session');
    const MysqlStore = expressMysqlSession(session);
    const { hostname, port, username, password, pathname } = new URL(url);
    const store = new MysqlStore({
      ...{ host: hostname, port: Number(port), user: username, password, database: pathname.slice(1) },
      createDatabaseTable: true,
    });
    await store.onReady();
    return session({ secret, store, resave: false, saveUninitialized: false });
  },

  async 'express-session'() {
    const { default: session } = await import('express-session');
    return session({ secret, resave: false, saveUninitialized: false });
  },
};

/** Only the bare application has no sessions: its answers cannot be checked for memory. */
export const remembers = variant => variant !== 'bare';

/** While the package is being written, its absence is said in words and does not stop the others. */
export const notBuilt = (variant, error) =>
  variant.startsWith('madeleine') && error.code === 'ERR_MODULE_NOT_FOUND' && /[\\/]dist[\\/]/.test(error.message);
