// Ports for servers. A port that the system picks (listen on 0, then close) may be taken before the server has it, and
// while a server is down for its restart an outgoing connection may get it as its own end. So each process claims a
// block of ports below the range the system picks from, by listening on the block's first port for as long as it lives.
import { once } from 'node:events';
import net from 'node:net';

const FIRST = 10_000;
const BLOCK = 40;
/** A node of a Redis Cluster also listens on its port + 10,000: that must be in nobody's block, and below 32,768, where picked ports begin. */
const BLOCKS = 250;

async function listen(port: number): Promise<net.Server | undefined> {
  const server = net.createServer().listen({ port, host: '127.0.0.1', exclusive: true });
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  if (server) await new Promise(resolve => server.close(resolve));
  return server !== undefined;
}

async function* portsOfThisProcess(): AsyncGenerator<number, never> {
  for (;;) {
    const first = FIRST + BLOCK * Math.floor(Math.random() * BLOCKS);
    const claim = await listen(first);
    if (!claim) continue;
    claim.unref();
    for (let port = first + 1; port < first + BLOCK; port++)
      if ((await isFree(port)) && (await isFree(port + 10_000))) yield port;
  }
}

const ports = portsOfThisProcess();

/** A port of 127.0.0.1 that nobody else is given while this process lives. */
export async function freePort(): Promise<number> {
  return (await ports.next()).value;
}
