// A process that holds the servers that HOLD names, paused if HOLD_STATE says so. Says 'starting' and 'holds <urls>', and
// stops them at SIGUSR2; it stays until it is killed.
import pg from 'pg';
import { startMariadb } from '../mariadb.ts';
import { startPgBouncer, startPostgres } from '../postgres.ts';
import { startRedis } from '../redis.ts';

const { HOLD: kind, HOLD_STATE: state } = process.env;
console.log('starting');
const servers =
  kind === 'redis'
    ? [await startRedis()]
    : kind === 'mariadb'
      ? [await startMariadb()]
      : await startPostgres().then(async postgres => [postgres, await startPgBouncer(postgres)]);
// Postgres has a process for each connection, which does not see in the midst of its work that the first one is gone.
if (kind === 'postgres') {
  const client = new pg.Client(servers[0]?.url).on('error', () => {});
  await client.connect();
  client.query('DO $$ BEGIN LOOP END LOOP; END $$').catch(() => {});
}
if (state === 'paused') for (const server of servers) server.pause();
console.log('holds', servers.map(server => server.url).join(' '));

process.once('SIGUSR2', () => Promise.all(servers.map(server => server.stop())));
setInterval(() => {}, 60_000);
