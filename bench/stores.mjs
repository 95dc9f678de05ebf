// Private servers for the stores that need one: the same programs, started the same way, as the tests have.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const STARTS = {
  redis: async () => (await import('../.build/test/servers/redis.js')).startRedis(),
  postgres: async () => (await import('../.build/test/servers/postgres.js')).startPostgres(),
  mysql: async () => (await import('../.build/test/servers/mariadb.js')).startMariadb(),
};

export const STORES = Object.keys(STARTS);

export const startStore = store => STARTS[store]();

export const variantsOf = store => ['bare', `madeleine-${store}`, `express-session-${store}`];

/** The server that a variant needs, or undefined. */
export const storeOf = variant => STORES.find(store => variant.endsWith(`-${store}`));

/**
 * A way to the server that counts round trips: each time a connection asks after it had its answer. Commands sent
 * together are one. Nothing is timed through it.
 */
export async function countingProxy(url) {
  const target = new URL(url);
  const sockets = new Set();
  let turns = 0;
  const proxy = createServer({ noDelay: true }, client => {
    const server = connect({ port: Number(target.port), host: target.hostname, noDelay: true });
    let waiting = false;
    client.on('data', chunk => {
      if (!waiting) turns += 1;
      waiting = true;
      server.write(chunk);
    });
    server.on('data', chunk => {
      waiting = false;
      client.write(chunk);
    });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ]) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const near = new URL(url);
  near.port = String(proxy.address().port);
  return {
    url: near.href,
    turns: () => turns,
    stop() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}
