// What the SQL servers have in common.
import type { Daemon, Server } from './daemon.ts';

export const PASSWORD = 'secret';

export interface SqlServerOptions {
  /** Settings of the server, such as `{ max_connections: 10 }`. */
  settings?: Record<string, string | number>;
  /** Writes reach the disk before they are acknowledged. Default false: they survive the server, not the machine. */
  durable?: boolean;
}

export interface SqlServer extends Server {
  /** The URL of a new database. */
  createDatabase(): Promise<string>;
}

/** `user` and the database `first` exist; `run` opens a connection for one statement. */
export function sqlServer(
  daemon: Daemon,
  port: number,
  { scheme, user, first }: { scheme: string; user: string; first: string },
  run: (url: string, statement: string) => Promise<void>,
): SqlServer {
  const urlOf = (database: string): string => `${scheme}://${user}:${PASSWORD}@127.0.0.1:${port}/${database}`;
  let databases = 0;
  return {
    ...daemon,
    port,
    url: urlOf(first),
    async createDatabase() {
      databases += 1;
      const name = `test_${databases}`;
      await run(urlOf(first), `CREATE DATABASE ${name}`);
      return urlOf(name);
    },
  };
}
