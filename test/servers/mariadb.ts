import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import mysql from 'mysql2/promise';
import { runStep, type Server, startDaemon } from './daemon.ts';
import { own, serverFolder } from './home.ts';
import { freePort } from './ports.ts';
import { findProgram, program } from './programs.ts';

const PASSWORD = 'secret';

export interface MariadbOptions {
  /** Settings of my.cnf, such as `{ max_connections: 10 }`. */
  settings?: Record<string, string | number>;
  /** Writes reach the disk before they are acknowledged. Default false: they survive the server, not the machine. */
  durable?: boolean;
}

export interface MariadbServer extends Server {
  /** The URL of a new database. */
  createDatabase(): Promise<string>;
}

/** Starts MariaDB, or the MySQL server that MADELEINE_MYSQL_SERVER names. */
export async function startMariadb({ settings = {}, durable = false }: MariadbOptions = {}): Promise<MariadbServer> {
  const binary = program('mariadb');
  const folder = serverFolder('mariadb');
  const data = path.join(folder, 'data');
  const installs = execFileSync(binary, ['--version'], { encoding: 'utf8' }).includes('MariaDB');
  if (installs) {
    const install = findProgram('mariadb-install-db', 'mysql_install_db') ?? '';
    await runStep(folder, install, [
      ...['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'],
      '--innodb-flush-method=nosync',
    ]);
  } else await runStep(folder, binary, ['--no-defaults', '--initialize-insecure', `--datadir=${data}`]);

  // Run at each start. A server that resolves no names knows no localhost.
  const users = path.join(folder, 'users.sql');
  writeFileSync(
    users,
    `CREATE USER IF NOT EXISTS 'madeleine'@'127.0.0.1' IDENTIFIED BY '${PASSWORD}';\nGRANT ALL ON *.* TO 'madeleine'@'127.0.0.1' WITH GRANT OPTION;\nCREATE DATABASE IF NOT EXISTS test;\n`,
  );
  own(users);
  const port = await freePort();
  const values = {
    datadir: data,
    port,
    'bind-address': '127.0.0.1',
    socket: path.join(folder, 'socket'),
    'pid-file': path.join(folder, 'server.pid'),
    'loose-mysqlx': 'OFF',
    'skip-name-resolve': 'ON',
    'init-file': users,
    'innodb-flush-log-at-trx-commit': durable ? 1 : 2,
    'innodb-buffer-pool-size': '64M',
    ...settings,
  };
  const daemon = await startDaemon({
    folder,
    program: binary,
    args: ['--no-defaults', ...Object.entries(values).map(([name, value]) => `--${name}=${value}`)],
    ready: /: ready for connections/,
  });
  const url = (database: string) => `mysql://madeleine:${PASSWORD}@127.0.0.1:${port}/${database}`;
  let databases = 0;
  return {
    ...daemon,
    port,
    url: url('test'),
    async createDatabase() {
      databases += 1;
      const connection = await mysql.createConnection(url('test'));
      await connection.query(`CREATE DATABASE test_${databases}`);
      await connection.end();
      return url(`test_${databases}`);
    },
  };
}
