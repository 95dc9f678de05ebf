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
  /** From now on answers wait, until `pass` lets so many lines of them through. */
  hold(): void;
  pass(lines: number): void;
  /** From now on nothing comes through on the connections that there are, as when the other host has vanished. */
  silence(): void;
  close(): void;
}

export async function startNetwork(to: number): Promise<Network> {
  const pairs = new Set<[client: net.Socket, server: net.Socket]>();
  const held: net.Socket[] = [];
  let holding = false;
  let onAnswer: (() => void) | null = null;
  let lines = Number.POSITIVE_INFINITY;
  const flushes = new Set<() => void>();

  function join(client: net.Socket): void {
    const server = net.connect(to, '127.0.0.1');
    const pair: [net.Socket, net.Socket] = [client, server];
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    let answers = Buffer.alloc(0);
    const flush = (): void => {
      let end = lines === Number.POSITIVE_INFINITY ? answers.length : 0;
      for (let next = answers.indexOf('\n'); lines > 0 && end <= next; next = answers.indexOf('\n', end)) {
        lines--;
        end = next + 1;
      }
      if (end > 0) client.write(answers.subarray(0, end));
      answers = answers.subarray(end);
    };
    flushes.add(flush);
    client.on('data', data => server.write(data));
    server.on('data', data => {
      if (onAnswer === null) {
        answers = Buffer.concat([answers, data]);
        flush();
      } else {
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
    hold() {
      lines = 0;
    },
    pass(more) {
      lines += more;
      for (const flush of flushes) flush();
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
