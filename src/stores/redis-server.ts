/** Is this a server that the store can work with? And what its refusals mean. */
import { MadeleineError } from '../errors.ts';
import type { RedisCommands } from './redis-client.ts';
import { once } from './server-store.ts';

/** Commands that begin once the server is known to do. */
export interface CheckedCommands extends RedisCommands {
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** ZADD with GT. Valkey says which Redis it is like, 7.2 or later. */
const OLDEST = [6, 2] as const;

/**
 * @throws MadeleineError `ERR_STORE_INVALID` when the server is too old, or of another kind than the client; otherwise what
 * the client fails with
 */
export async function checkServer({ send, cluster }: RedisCommands, anyKey: string): Promise<void> {
  const info = await serverInfo(() => send(anyKey, ['INFO', 'server']));
  if (info === undefined) throw notPromising();
  const [, major, minor] = /^redis_version:(\d+)\.(\d+)/m.exec(info) ?? [];
  if (Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1])) {
    throw tooOld(`${major}.${minor}`);
  }
  // Valkey has its own name for it, and not always that of Redis beside it.
  const mode = /^(?:redis|server)_mode:(\w+)/m.exec(info)?.[1];
  if (mode === 'sentinel') {
    throw unsuitable('This is a Sentinel, which keeps no data.', 'Pass a client that asks it for the master.');
  }
  if (mode === 'cluster' && !cluster) {
    const remedy = "Pass a client for it: redisStore(createCluster({ rootNodes: [{ url: 'redis://…' }] })).";
    throw unsuitable('This Redis is a node of a Cluster.', remedy);
  }
}

/** The commands of an application's own client, with the server checked before the first of them. The client stays open. */
export function checkedFirst(commands: RedisCommands, anyKey: string): CheckedCommands {
  const checked = once(() => checkServer(commands, anyKey));
  const { together } = commands;
  const fail = (error: unknown) => {
    throw messageOf(error) === 'The client is closed' ? notOpen(error) : explained(error);
  };
  const guard = <T>(call: () => Promise<T>): Promise<T> => checked.after(call).catch(fail);

  return {
    cluster: commands.cluster,
    async ready() {
      try {
        await guard(async () => {});
      } catch (error) {
        throw error instanceof MadeleineError ? error : unreachable(error);
      }
    },
    close: async () => {},
    send: (key, args) => guard(() => commands.send(key, args)),
    wait: (key, replicas, timeout) => guard(() => commands.wait(key, replicas, timeout)),
    ...(together && { together: run => guard(() => together(run)) }),
  };
}

/** What `legacy()` of `redis` returns, and clients from before it had promises. */
function notPromising(): MadeleineError {
  const remedy = 'Pass what createClient() returns, of version 5 or later and without legacy().';
  return unsuitable('This Redis client answers callbacks, not with promises.', remedy);
}

function notOpen(cause: unknown): MadeleineError {
  const remedy = 'Call "await client.connect()" before the first request, and close it after the last.';
  return new MadeleineError('ERR_STORE_FAILED', 'The Redis client is not open.', remedy, { cause });
}

/** Not every user may ask: then nothing is known, and nothing refused. */
async function serverInfo(ask: () => Promise<unknown>): Promise<string | undefined> {
  try {
    const info = await ask();
    return info === undefined ? info : String(info);
  } catch (error) {
    if (/^NOPERM|unknown command/.test(messageOf(error))) return '';
    throw error;
  }
}

/** What the client or server said, or what it means where that says more. */
export function explained(error: unknown): unknown {
  // ioredis puts what it sent into the error: session data, or the password. That is nothing for a log.
  if (error instanceof Error && 'command' in error) delete error.command;
  const message = messageOf(error);
  if (/unknown command.*HELLO/i.test(message)) return tooOld('older than 6', error);
  if (/^(WRONGPASS|NOAUTH)|invalid password|without any password configured/.test(message)) {
    const remedy =
      'Give them in the URL, redis://user:password@host:6379, or to the client; "default" is the user where there is none.';
    return unsuitable('Redis did not accept the user name and password.', remedy, error);
  }
  if (/^NOPERM/.test(message)) {
    const remedy = 'Grant it the commands and keys that docs/stores.md lists for Redis.';
    return unsuitable('This user of Redis may not do what the store needs.', remedy, error);
  }
  return error;
}

export function unreachable(cause: unknown): MadeleineError {
  // One host name may have several addresses: then the message is empty.
  const reason = messageOf(cause) || String((cause as { code?: unknown }).code);
  const remedy = 'See whether the server is up, and whether this is its host and port.';
  return new MadeleineError('ERR_STORE_FAILED', `Redis cannot be reached: ${reason}.`, remedy, { cause });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function tooOld(version: string, cause?: unknown): MadeleineError {
  return unsuitable(`The version of this Redis is ${version}.`, 'Use Redis 6.2 or later, or Valkey.', cause);
}

function unsuitable(problem: string, remedy: string, cause?: unknown): MadeleineError {
  return new MadeleineError('ERR_STORE_INVALID', problem, remedy, cause === undefined ? undefined : { cause });
}
