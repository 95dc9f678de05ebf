import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Random } from '../support/random.ts';
import type { ServerOptions } from './server.ts';

interface Server {
  index: number;
  child: ChildProcess;
  url: string;
}

/** A number of servers on one store, each of which can be killed at any moment and then comes back. */
export class Servers {
  readonly #options: ServerOptions;
  /** The server of each place; `null` while it is down. */
  readonly #live: Array<Server | null>;
  readonly #starting: Array<Promise<void>>;

  static async start(count: number, options: ServerOptions): Promise<Servers> {
    const servers = new Servers(count, options);
    await servers.allUp();
    return servers;
  }

  private constructor(count: number, options: ServerOptions) {
    this.#options = options;
    this.#live = new Array(count).fill(null);
    this.#starting = this.#live.map((_, index) => this.#launch(index));
  }

  /** One of those that are up, as a load balancer would choose; waits if none is. */
  async pick(random: Random): Promise<Pick<Server, 'index' | 'url'>> {
    const up = this.#live.filter(server => server !== null);
    if (up.length > 0) return up[random(up.length)] as Server;
    await Promise.race(this.#starting);
    return this.pick(random);
  }

  get count(): number {
    return this.#live.length;
  }

  async allUp(): Promise<void> {
    await Promise.all(this.#starting);
  }

  /** Kills one as `kill -9` does, and starts it again. `false`: it is down already. */
  crash(index: number): boolean {
    const server = this.#live[index];
    if (!server) return false;
    this.#live[index] = null;
    server.child.kill('SIGKILL');
    this.#starting[index] = once(server.child, 'exit').then(() => this.#launch(index));
    return true;
  }

  async close(): Promise<void> {
    await this.allUp();
    for (const server of this.#live) {
      const gone = once((server as Server).child, 'exit');
      server?.child.kill('SIGKILL');
      await gone;
    }
  }

  async #launch(index: number): Promise<void> {
    const child = fork(path.join(import.meta.dirname, 'server.js'), [JSON.stringify(this.#options)]);
    const ended = once(child, 'exit').then(([code]) => {
      // Where nobody waits for this any more it is an unhandled rejection, which ends the run: that is what it is for.
      if (!child.killed) throw new Error(`A server ended by itself, with code ${code}.`);
    });
    const [port] = (await Promise.race([once(child, 'message'), ended])) as [number];
    this.#live[index] = { index, child, url: `http://127.0.0.1:${port}` };
  }
}
