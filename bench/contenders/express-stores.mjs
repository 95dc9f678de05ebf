// On Express, with sessions on a real server: ours and express-session with the store that most people take for it.
import { expressSession, madeleineOn } from './express-ways.mjs';

export const storeContenders = {
  'madeleine-redis': {
    async make({ url }) {
      const { redisStore } = await import('madeleine/redis');
      return madeleineOn(redisStore(url));
    },
  },

  'madeleine-postgres': {
    async make({ url }) {
      const { postgresStore } = await import('madeleine/postgres');
      return madeleineOn(postgresStore(url));
    },
  },

  'madeleine-mysql': {
    async make({ url }) {
      const { mysqlStore } = await import('madeleine/mysql');
      return madeleineOn(mysqlStore(url));
    },
  },

  'express-session-redis': {
    async make({ url }) {
      const { default: session } = await import('express-session');
      const { RedisStore } = await import('connect-redis');
      const { createClient } = await import('redis');
      return expressSession(session, new RedisStore({ client: await createClient({ url }).connect() }));
    },
  },

  'express-session-postgres': {
    async make({ url }) {
      const { default: session } = await import('express-session');
      const { default: connectPgSimple } = await import('connect-pg-simple');
      const PgStore = connectPgSimple(session);
      return expressSession(session, new PgStore({ conString: url, createTableIfMissing: true }));
    },
  },

  'express-session-mysql': {
    async make({ url }) {
      const { default: session } = await import('express-session');
      const { default: expressMysqlSession } = await import('express-mysql-session');
      const MysqlStore = expressMysqlSession(session);
      const { hostname, port, username, password, pathname } = new URL(url);
      const store = new MysqlStore({
        ...{ host: hostname, port: Number(port), user: username, password, database: pathname.slice(1) },
        createDatabaseTable: true,
      });
      await store.onReady();
      return expressSession(session, store);
    },
  },
};
