// One value written and read through each driver, over a connection of its own.
import mysql from 'mysql2/promise';
import pg from 'pg';
import { createClient } from 'redis';

export interface Probe {
  write(url: string, value: string): Promise<void>;
  /** What was written, or nothing. */
  read(url: string): Promise<string | undefined>;
  /** A setting that the server runs with. */
  setting(url: string, name: string): Promise<string>;
}

async function redis(url: string, command: string[]): Promise<unknown> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on('error', () => {});
  await client.connect();
  try {
    return await client.sendCommand(command);
  } finally {
    client.destroy();
  }
}

async function postgres(url: string, query: string): Promise<string | undefined> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const result = await client.query({ text: query, rowMode: 'array' });
    return result.rows?.[0]?.[0];
  } finally {
    await client.end();
  }
}

async function mariadb(url: string, query: string): Promise<unknown> {
  const connection = await mysql.createConnection(url);
  try {
    const [rows] = await connection.query({ sql: query, rowsAsArray: true });
    return Array.isArray(rows) ? (rows as unknown[][])[0]?.[0] : undefined;
  } finally {
    await connection.end();
  }
}

const sqlProbe = (query: (url: string, text: string) => Promise<unknown>): Probe => ({
  async write(url, value) {
    await query(url, 'CREATE TABLE IF NOT EXISTS probe (value varchar(100))');
    await query(url, `INSERT INTO probe VALUES ('${value}')`);
  },
  async read(url) {
    await query(url, 'CREATE TABLE IF NOT EXISTS probe (value varchar(100))');
    return (await query(url, 'SELECT value FROM probe')) as string | undefined;
  },
  setting: async (url, name) => String(await query(url, query === mariadb ? `SELECT @@${name}` : `SHOW ${name}`)),
});

export const PROBES: Record<'redis' | 'postgres' | 'mariadb', Probe> = {
  redis: {
    async write(url, value) {
      await redis(url, ['SET', 'probe', value]);
    },
    read: async url => ((await redis(url, ['GET', 'probe'])) as string | null) ?? undefined,
    async setting(url, name) {
      const reply = (await redis(url, ['CONFIG', 'GET', name])) as Record<string, string>;
      return String(reply[name]);
    },
  },
  postgres: sqlProbe(postgres),
  mariadb: sqlProbe(mariadb),
};
