import path from 'node:path';
import pg from 'pg';
import { runStep, type Server, startDaemon } from './daemon.ts';
import { serverFolder, writeServerFile } from './home.ts';
import { freePort } from './ports.ts';
import { findProgram, program } from './programs.ts';
import { PASSWORD, type SqlServer, type SqlServerOptions, sqlServer } from './sql-server.ts';

export async function startPostgres({ settings = {}, durable = false }: SqlServerOptions = {}): Promise<SqlServer> {
  const binary = program('postgres');
  const folder = serverFolder('postgres');
  const data = path.join(folder, 'data');
  const password = writeServerFile(folder, 'password', PASSWORD);
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
  return sqlServer(
    daemon,
    port,
    { scheme: 'postgres', user: 'postgres', first: 'postgres' },
    async (url, statement) => {
      const client = new pg.Client(url);
      await client.connect();
      await client.query(statement);
      await client.end();
    },
  );
}

/** PgBouncer in transaction mode before a Postgres, for all its databases. */
export async function startPgBouncer(
  postgres: SqlServer,
  settings: Record<string, string | number> = {},
): Promise<Server> {
  const folder = serverFolder('pgbouncer');
  const port = await freePort();
  const values = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: writeServerFile(folder, 'users.txt', `"postgres" "${PASSWORD}"\n`),
    pool_mode: 'transaction',
    ignore_startup_parameters: 'extra_float_digits',
    ...settings,
  };
  const lines = [
    '[databases]',
    `* = host=127.0.0.1 port=${postgres.port}`,
    '[pgbouncer]',
    ...Object.entries(values).map(([name, value]) => `${name} = ${value}`),
  ];
  const daemon = await startDaemon({
    folder,
    program: program('pgbouncer'),
    args: [writeServerFile(folder, 'pgbouncer.ini', lines.join('\n'))],
    ready: /process up/,
  });
  return { ...daemon, port, url: `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres` };
}
