// One server process: started, ended and started again in a folder of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { endServer, signalServer, unprivileged } from './home.ts';

/** What all servers can do. */
export interface Server {
  readonly port: number;
  /** Connection string, with the password if there is one. */
  readonly url: string;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. Its data stay: `restart` finds them. */
  kill(): Promise<void>;
  /** Shuts it down in order if it runs, and starts it on the same port with the same data. */
  restart(): Promise<void>;
  /** Halts it: connections stay open, nothing answers. */
  pause(): void;
  resume(): void;
}

export interface DaemonOptions {
  folder: string;
  program: string;
  args: string[];
  /** What it logs once it answers. */
  ready: RegExp;
  /** The signal that asks it to shut down in order without waiting for its clients. Default SIGTERM. */
  shutdown?: NodeJS.Signals;
}

export type Daemon = Omit<Server, 'port' | 'url'>;

/** Polls, as another process is waited for, until the condition holds; after 30 seconds an error with the condition's last one. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  let cause: unknown;
  while (performance.now() < deadline) {
    try {
      if (await condition()) return;
    } catch (error) {
      cause = error;
    }
    await delay(10);
  }
  throw new Error(`Waited 30 seconds for ${what}`, { cause });
}

const logOf = (folder: string): string => path.join(folder, 'log');

/** Runs a program in the background with its output in the folder's log and its process id where the keeper finds it. */
function launch(folder: string, program: string, args: string[]): ChildProcess {
  const pid = path.join(folder, 'pid');
  const log = openSync(logOf(folder), 'w');
  const child = spawn('sh', ['-c', 'echo $$ > "$0" && exec "$@"', pid, program, ...args], {
    cwd: folder,
    env: { ...process.env, TMPDIR: folder },
    detached: true,
    stdio: ['ignore', log, log],
    ...unprivileged,
  });
  closeSync(log);
  child.unref();
  // A process id may be given to another process later, which the keeper must not end.
  child.once('exit', () => rmSync(pid, { force: true }));
  return child;
}

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

async function ended(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return;
  child.ref();
  await once(child, 'exit');
}

/** Runs a program to its end, such as the one that creates a database's files. */
export async function runStep(folder: string, program: string, args: string[]): Promise<void> {
  const child = launch(folder, program, args);
  await ended(child);
  if (child.exitCode !== 0) throw new Error(`${program} failed: ${readFileSync(logOf(folder), 'utf8')}`);
}

export async function startDaemon({
  folder,
  program,
  args,
  ready,
  shutdown = 'SIGTERM',
}: DaemonOptions): Promise<Daemon> {
  const start = async (): Promise<ChildProcess> => {
    const child = launch(folder, program, args);
    const log = () => readFileSync(logOf(folder), 'utf8');
    await until(`${program} to be ready`, () => !isRunning(child) || ready.test(log()));
    if (!isRunning(child)) throw new Error(`${program} ended at its start: ${log()}`);
    return child;
  };
  let child = await start();
  const pid = (): number => child.pid ?? 0;

  return {
    async stop() {
      endServer(folder);
      await ended(child);
    },
    async kill() {
      if (isRunning(child)) signalServer(pid(), 'KILL');
      await ended(child);
    },
    async restart() {
      if (isRunning(child)) {
        signalServer(pid(), 'CONT');
        child.kill(shutdown);
      }
      await ended(child);
      child = await start();
    },
    pause() {
      if (isRunning(child)) signalServer(pid(), 'STOP');
    },
    resume() {
      if (isRunning(child)) signalServer(pid(), 'CONT');
    },
  };
}
