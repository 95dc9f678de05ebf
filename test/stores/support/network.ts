// A network between a client and a server that can be made to fail.

import type { AddressInfo } from 'node:net';
import net from 'node:net';

export interface Network {
  port: number;
  /**
   * The server does what it is asked next, and its answer gets lost together with the connection; resolves when that has
   * happened. Whoever connects again waits until `restore`.
   */
  loseNextAnswer(): Promise<void>;
  restore(): void;
  /** From now on nothing comes through on the connections that there are, as when the other host has vanished. */
  silence(): void;
  close(): void;
}

export async function startNetwork(to: number): Promise<Network> {
  const pairs = new Set<[client: net.Socket, server: net.Socket]>();
  const held: net.Socket[] = [];
  let holding = false;
  let onAnswer: (() => void) | null = null;

  function join(client: net.Socket): void {
    const server = net.connect(to, '127.0.0.1');
    const pair: [net.Socket, net.Socket] = [client, server];
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    client.on('data', data => server.write(data));
    server.on('data', data => {
      if (onAnswer === null) client.write(data);
      else {
        end();
        onAnswer();
        onAnswer = null;
      }
    });
    for (const socket of pair) socket.on('error', end).on('close', end);
  }

  const listener = net.createServer(client => {
    if (holding) held.push(client.on('error', () => {}));
    else join(client);
  });
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve));
  return {
    port: (listener.address() as AddressInfo).port,
    loseNextAnswer() {
      holding = true;
      return new Promise(resolve => {
        onAnswer = resolve;
      });
    },
    restore() {
      holding = false;
      for (const client of held.splice(0)) join(client);
    },
    silence() {
      for (const socket of [...pairs].flat()) socket.removeAllListeners('data');
    },
    close() {
      listener.close();
      for (const socket of [...held, ...[...pairs].flat()]) socket.destroy();
    },
  };
}
