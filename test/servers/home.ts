// The temporary folder of this process's servers, and the keeper: a shell that outlives this process, whatever ends it,
// to end the servers and to remove the folder. It waits for the end of a pipe that only this process holds open.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/**
 * signal: a server may be a group of processes (initdb, a Redis that saves) or have children with groups of their own
 * (Postgres). Stopped first, it starts no more of them meanwhile.
 * end: once the folder has moved, a server that is only about to start cannot, as it writes its process id there first.
 * Postgres leaves a segment of shared memory when it is killed; its lock file names it.
 */
const SHELL = `
signal() { kill -STOP "-$2"; pkill "-$1" -P "$2"; kill "-$1" "-$2"; }
end() {
  mv "$1" "$1.ended" || return
  pid=$(cat "$1.ended/pid")
  [ -z "$pid" ] || signal KILL "$pid"
  memory=$(sed -n '7s/.* //p' "$1.ended/data/postmaster.pid")
  [ -z "$memory" ] || ipcrm -m "$memory"
  remove "$1.ended"
}
remove() { for attempt in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$1" && break; sleep 0.1; done; }
`;

/** Servers refuse to run as root: they run as nobody where the tests do. */
export const unprivileged: { uid?: number; gid?: number } = process.getuid?.() === 0 ? nobody() : {};

function nobody(): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function own(file: string): void {
  if (unprivileged.uid !== undefined) chownSync(file, unprivileged.uid, unprivileged.gid ?? -1);
}

function createFolder(folder: string): string {
  mkdirSync(folder, { mode: 0o700 });
  own(folder);
  return folder;
}

let home: string | undefined;
let servers = 0;

/** A new folder for a server, which belongs to the user that the server runs as. */
export function serverFolder(kind: string): string {
  home ??= openHome();
  servers += 1;
  return createFolder(path.join(home, `${kind}-${servers}`));
}

/** A file in a server's folder that the server may read and rewrite. Gives its path. */
export function writeServerFile(folder: string, name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text, { mode: 0o600 });
  own(file);
  return file;
}

function openHome(): string {
  // A short name: the path of a unix socket has to fit into about 100 bytes.
  const folder = path.join(os.tmpdir(), `madeleine-${randomBytes(6).toString('hex')}`);
  const script = `${SHELL}\nread -r line; for folder in "$1"/*; do end "$folder"; done; remove "$1"`;
  const keeper = spawn('sh', ['-c', script, 'keeper', folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  keeper.unref();
  (keeper.stdin as unknown as { unref(): void }).unref();
  return createFolder(folder);
}

/** Sends a signal to all processes of the server whose first one this is. */
export function signalServer(pid: number, signal: 'KILL' | 'STOP' | 'CONT'): void {
  spawnSync('sh', ['-c', `${SHELL}\nsignal "$1" "$2"`, 'sh', signal, String(pid)]);
}

/** Ends the server of this folder, if it runs, and removes all that it left. */
export function endServer(folder: string): void {
  spawnSync('sh', ['-c', `${SHELL}\nend "$1"`, 'sh', folder]);
}
