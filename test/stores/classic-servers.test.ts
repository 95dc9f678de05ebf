// The stores for express-session that most people have, over real servers.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import createPgStore from 'connect-pg-simple';
import { RedisStore } from 'connect-redis';
import createMysqlStore from 'express-mysql-session';
import expressSession from 'express-session';
import { type ClassicStore, classicStore } from 'madeleine/classic';
import { storeConformance } from 'madeleine/testing';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { createClient } from 'redis';
import { createRace } from '../races/app.js';
import { startMariadb } from '../servers/mariadb.js';
import { need } from '../servers/need.js';
import { startPostgres } from '../servers/postgres.js';
import { startRedis } from '../servers/redis.js';
import { openClassic } from './support/classic-stores.js';
import { sampleRecord } from './support/sample-record.js';

interface Opened {
  store: ClassicStore;
  /** When the server will collect this session, in milliseconds since 1970. */
  expiryOf(key: string): Promise<number>;
  close(): Promise<void>;
}

const SERVERS = {
  async redis(): Promise<Opened> {
    const server = await startRedis({ appendonly: 'no' });
    const client = createClient({ url: server.url });
    await client.connect();
    return {
      store: new RedisStore({ client }),
      expiryOf: key => client.pExpireTime(`sess:${key}`),
      async close() {
        client.destroy();
        await server.stop();
      },
    };
  },

  async postgres(): Promise<Opened> {
    const server = await startPostgres();
    const pool = new pg.Pool({ connectionString: server.url });
    const PgStore = createPgStore(expressSession);
    const store = new PgStore({ pool, createTableIfMissing: true, pruneSessionInterval: false });
    return {
      store,
      async expiryOf(key) {
        const { rows } = await pool.query('SELECT expire FROM session WHERE sid = $1', [key]);
        return rows[0].expire.getTime();
      },
      async close() {
        store.close();
        await pool.end();
        await server.stop();
      },
    };
  },

  async mariadb(): Promise<Opened> {
    const server = await startMariadb();
    const pool = mysql.createPool(server.url);
    const MysqlStore = createMysqlStore(expressSession);
    const store = new MysqlStore({ clearExpired: false }, pool);
    await store.onReady();
    // Its own column ends in the year 2106, and the suite tries a session of a hundred years.
    await pool.query('ALTER TABLE sessions MODIFY expires BIGINT UNSIGNED NOT NULL');
    return {
      store,
      async expiryOf(key) {
        const [rows] = await pool.query('SELECT expires FROM sessions WHERE session_id = ?', [key]);
        return (rows as Array<{ expires: number }>)[0]!.expires * 1000;
      },
      async close() {
        await pool.end();
        await server.stop();
      },
    };
  },
};

for (const [name, kind] of [
  ['connect-redis', 'redis'],
  ['connect-pg-simple', 'postgres'],
  ['express-mysql-session', 'mariadb'],
] as const) {
  describe(name, { skip: need(kind) }, () => {
    let opened: Opened;
    before(async () => {
      opened = await SERVERS[kind]();
    });
    after(() => opened.close());

    storeConformance({ name: `classicStore(${name})`, open: () => openClassic(opened.store) });

    it('the server collects a session when its time is over, not before, and follows a touch', async () => {
      const store = classicStore(opened.store);
      const [now, key] = [Date.now(), `times-of-${name}`];
      for (const left of [90_000, 7_200_000]) {
        if (left === 90_000) await store.create(key, sampleRecord(now, { expiresAt: now + left }));
        else await store.touch(key, now, now + left);
        const late = (await opened.expiryOf(key)) - (now + left);
        assert.ok(Math.abs(late) <= 1_000, `${late} ms late`);
      }
    });

    it('a record with its time over is not served', async () => {
      const store = classicStore(opened.store);
      const key = `over-in-${name}`;
      await store.create(key, sampleRecord(Date.now(), { expiresAt: Date.now() - 60_000 }));
      assert.equal(await store.read(key), null);
    });

    it('200 requests at once that each add an item keep 200', async context => {
      const race = await createRace(classicStore(opened.store));
      context.after(() => race.close());
      const client = race.client();
      await client.get('/login/ada');
      const items = Array.from({ length: 200 }, (_, i) => `item-${i}`);
      await Promise.all(items.map(item => client.tab().get(`/add/${item}`)));
      const { cart, userId } = (await client.get('/data')).json<{ cart: string[]; userId: string }>();
      context.diagnostic(`kept ${new Set(cart).size} of 200`);
      assert.deepEqual([cart.sort(), userId], [items.sort(), 'ada']);
      const stolen = client.tab();
      await client.get('/logout');
      assert.deepEqual((await stolen.get('/data')).json(), { userId: null });
    });
  });
}
