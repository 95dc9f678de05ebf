// Where the programs are that the tests start: on PATH, or in the places where Debian and Homebrew keep what PATH lacks.
import { accessSync, constants, readdirSync } from 'node:fs';
import path from 'node:path';

/** Debian keeps each Postgres version apart; the newest comes first. */
function postgresFolders(): string[] {
  const base = '/usr/lib/postgresql';
  try {
    const versions = readdirSync(base).sort((a, b) => Number(b) - Number(a));
    return versions.map(version => path.join(base, version, 'bin'));
  } catch {
    return [];
  }
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The first of these programs that is installed, as an absolute path. */
export function findProgram(...names: string[]): string | undefined {
  const onPath = (process.env['PATH'] ?? '').split(path.delimiter).filter(Boolean);
  const folders = [...onPath, '/usr/sbin', '/usr/local/sbin', ...postgresFolders()];
  return names.flatMap(name => folders.map(folder => path.resolve(folder, name))).find(isProgram);
}

/** What each kind of server, and the browser, is started with. */
export const PROGRAMS = {
  chromium: (): string | undefined => findProgram('chromium'),
  redis: (): string | undefined =>
    process.env['MADELEINE_REDIS_SERVER'] || findProgram('redis-server', 'valkey-server'),
  postgres: (): string | undefined => findProgram('initdb') && findProgram('postgres'),
  pgbouncer: (): string | undefined => findProgram('pgbouncer'),
  mariadb: (): string | undefined => process.env['MADELEINE_MYSQL_SERVER'] || findProgram('mariadbd', 'mysqld'),
};

export type ProgramKind = keyof typeof PROGRAMS;

export function program(kind: ProgramKind): string {
  const found = PROGRAMS[kind]();
  if (!found) throw new Error(`No ${kind} is installed: see test/servers/need.ts`);
  return found;
}
