import { writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { runStep, type Server, startDaemon } from './daemon.ts';
import { own, serverFolder } from './home.ts';
import { freePort } from './ports.ts';
import { findProgram, program } from './programs.ts';

const PASSWORD = 'secret';

export interface PostgresOptions {
  /** Settings of postgresql.conf, such as `{ max_connections: 10 }`. */
  settings?: Record<string, string | number>;
  /** Writes reach the disk before they are acknowledged. Default false: they survive the server, not the machine. */
  durable?: boolean;
}

export interface PostgresServer extends Server {
  /** The URL of a new database. */
  createDatabase(): Promise<string>;
}

export async function startPostgres({ settings = {}, durable = false }: PostgresOptions = {}): Promise<PostgresServer> {
  const binary = program('postgres');
  const folder = serverFolder('postgres');
  const data = path.join(folder, 'data');
  const password = path.join(folder, 'password');
  writeFileSync(password, PASSWORD);
  own(password);
  await runStep(folder, findProgram('initdb') ?? '', [
    ...['-D', data, '-U', 'postgres', `--pwfile=${password}`, '--auth=scram-sha-256'],
    ...['--encoding=UTF8', '--locale=C', '--no-sync'],
  ]);
  const port = await freePort();
  const values = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    // In its folder, not in /dev/shm: nothing stays there when it is killed.
    dynamic_shared_memory_type: 'mmap',
    fsync: durable ? 'on' : 'off',
    ...settings,
  };
  const daemon = await startDaemon({
    folder,
    program: binary,
    args: [
      '-D',
      data,
      '-p',
      `${port}`,
      ...Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    ready: /database system is ready to accept connections/,
    shutdown: 'SIGINT',
  });
  const url = (database: string) => `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/${database}`;
  let databases = 0;
  return {
    ...daemon,
    port,
    url: url('postgres'),
    async createDatabase() {
      databases += 1;
      const client = new pg.Client(url('postgres'));
      await client.connect();
      await client.query(`CREATE DATABASE test_${databases}`);
      await client.end();
      return url(`test_${databases}`);
    },
  };
}

/** PgBouncer in transaction mode before a Postgres, for all its databases. */
export async function startPgBouncer(
  postgres: PostgresServer,
  settings: Record<string, string | number> = {},
): Promise<Server> {
  const folder = serverFolder('pgbouncer');
  const port = await freePort();
  const values = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: path.join(folder, 'users.txt'),
    pool_mode: 'transaction',
    ignore_startup_parameters: 'extra_float_digits',
    ...settings,
  };
  const files = {
    'users.txt': `"postgres" "${PASSWORD}"\n`,
    'pgbouncer.ini': [
      '[databases]',
      `* = host=127.0.0.1 port=${postgres.port}`,
      '[pgbouncer]',
      ...Object.entries(values).map(([name, value]) => `${name} = ${value}`),
    ].join('\n'),
  };
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(path.join(folder, name), text);
    own(path.join(folder, name));
  }
  const daemon = await startDaemon({
    folder,
    program: program('pgbouncer'),
    args: [path.join(folder, 'pgbouncer.ini')],
    ready: /process up/,
  });
  return { ...daemon, port, url: `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres` };
}
