import { execFileSync } from 'node:child_process';
import path from 'node:path';
import mysql from 'mysql2/promise';
import { runStep, startDaemon } from './daemon.ts';
import { serverFolder, writeServerFile } from './home.ts';
import { freePort } from './ports.ts';
import { findProgram, program } from './programs.ts';
import { PASSWORD, type SqlServer, type SqlServerOptions, sqlServer } from './sql-server.ts';

/** Nothing waits for the disk: MariaDB knows the first, both the second. It makes the first start three times as fast. */
const UNSYNCED = { 'loose-debug-no-sync': 'ON', 'innodb-flush-method': 'nosync' };

const toArgs = (values: Record<string, string | number>): string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`);

/** Starts MariaDB, or the MySQL server that MADELEINE_MYSQL_SERVER names. */
export async function startMariadb({ settings = {}, durable = false }: SqlServerOptions = {}): Promise<SqlServer> {
  const binary = program('mariadb');
  const folder = serverFolder('mariadb');
  const data = path.join(folder, 'data');
  if (execFileSync(binary, ['--version'], { encoding: 'utf8' }).includes('MariaDB')) {
    const install = findProgram('mariadb-install-db', 'mysql_install_db') ?? '';
    await runStep(folder, install, [
      ...['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'],
      ...toArgs(UNSYNCED),
    ]);
  } else
    await runStep(folder, binary, ['--no-defaults', '--initialize-insecure', `--datadir=${data}`, ...toArgs(UNSYNCED)]);

  const statements = [
    `CREATE USER IF NOT EXISTS 'madeleine'@'127.0.0.1' IDENTIFIED BY '${PASSWORD}';`,
    "GRANT ALL ON *.* TO 'madeleine'@'127.0.0.1' WITH GRANT OPTION;",
    'CREATE DATABASE IF NOT EXISTS test;',
  ];
  const port = await freePort();
  const values = {
    datadir: data,
    port,
    'bind-address': '127.0.0.1',
    socket: path.join(folder, 'socket'),
    'pid-file': path.join(folder, 'server.pid'),
    'loose-mysqlx': 'OFF',
    // Debian's MySQL would look for a folder that only its package mysql-server makes.
    'secure-file-priv': folder,
    'skip-name-resolve': 'ON',
    // Run at each start.
    'init-file': writeServerFile(folder, 'users.sql', statements.join('\n')),
    ...(durable ? { 'innodb-flush-log-at-trx-commit': 1 } : { 'innodb-flush-log-at-trx-commit': 2, ...UNSYNCED }),
    'innodb-buffer-pool-size': '64M',
    ...settings,
  };
  const daemon = await startDaemon({
    folder,
    program: binary,
    args: ['--no-defaults', ...toArgs(values)],
    ready: /: ready for connections/,
  });
  return sqlServer(daemon, port, { scheme: 'mysql', user: 'madeleine', first: 'test' }, async (url, statement) => {
    const connection = await mysql.createConnection(url);
    await connection.query(statement);
    await connection.end();
  });
}
