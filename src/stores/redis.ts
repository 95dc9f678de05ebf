import { type Clock, checkClock } from '../clock.ts';
import { type Duration, toMilliseconds } from '../duration.ts';
import { checkOptions, checkPositive, invalidOption } from '../options.ts';
import type { SessionRecord } from '../session/record.ts';
import { createRedisAdmin } from './redis-admin.ts';
import { commandsOf, plain, type RedisClient } from './redis-client.ts';
import { createConnection } from './redis-connection.ts';
import { type RedisNames, redisNames } from './redis-names.ts';
import { column, createWriter, recordOf, restOf } from './redis-record.ts';
import { type Answer, createRun, type ReplicaWait } from './redis-run.ts';
import * as scripts from './redis-scripts.ts';
import { type CheckedCommands, checkedFirst, checkServer } from './redis-server.ts';
import { linksTo } from './redis-url.ts';
import type { ServerStore } from './server-store.ts';

export type {
  IoRedisClient,
  IoRedisCluster,
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisPool,
  NodeRedisSentinel,
  RedisClient,
} from './redis-client.ts';
export type { ServerStore } from './server-store.ts';

export interface RedisStoreOptions {
  /** Begins the name of every key, so that several applications can share a server. Default `'madeleine:'`. */
  prefix?: string | undefined;
  /**
   * Acknowledges a write only once so many replicas have it: it then survives the loss of the master. A write that fewer
   * have after `timeout` fails with `ERR_STORE_FAILED`, though it may stand. Default: no replica is waited for.
   */
  wait?: { replicas: number; timeout: Duration } | undefined;
  /** Says how long records have to live. For tests. Default: the machine's clock. */
  clock?: Clock | undefined;
}

/**
 * Keeps sessions in Redis or Valkey: one server, Sentinel, or Cluster.
 *
 * @param client a client of `redis` (from `createClient`, `createClientPool`, `createSentinel`, `createCluster`) or of `ioredis` (`Redis`, `Cluster`),
 *   which `close()` leaves open; or the URL of one server, to which the store opens a connection of its own
 * @throws MadeleineError `ERR_STORE_INVALID` when it is neither, `ERR_DRIVER_MISSING` when there is no driver for the URL,
 *   `ERR_OPTION_*` for wrong options; what only the server can say (wrong password, too old) comes with the first call
 */
export function redisStore(client: RedisClient | string, options: RedisStoreOptions = {}): ServerStore {
  const given = checkOptions(options, ['prefix', 'wait', 'clock'], 'redisStore');
  const { prefix = 'madeleine:', wait, clock } = given;
  const names = redisNames(checkPrefix(prefix));
  const settings = { names, wait: wait ? checkWait(wait) : null, clock: checkClock(clock) };
  const anyKey = names.bucket(0);
  if (typeof client !== 'string') return createStore(checkedFirst(commandsOf(client), anyKey), settings);
  const connection = createConnection(linksTo(client), send => checkServer(plain(send), anyKey));
  return createStore({ ...connection, ...plain(connection.send) }, settings);
}

/** How long beyond the record's own end the index of its user knows of it: so seldom does a touch have to tell the index. */
const LISTED_AHEAD = 24 * 3_600_000;

interface Settings {
  names: RedisNames;
  wait: ReplicaWait | null;
  clock: Clock;
}

function createStore(commands: CheckedCommands, { names, wait, clock }: Settings): ServerStore {
  const run = createRun(commands, wait);
  const nextWrite = createWriter();
  /** After this time Redis deletes a record: counted here, so that the server's clock does not matter. */
  const lifetime = (until: number) => Math.max(1, until - clock());

  function read(key: string): Promise<SessionRecord | null> {
    const name = names.record(key);
    return commands.send(name, ['GET', name]).then(text => (text === null ? null : recordOf(String(text))));
  }

  /** Lets the user's index know of a record for longer than it lives, before it lives that long; answers until when. */
  async function list(userId: string, key: string, expiresAt: number): Promise<string> {
    const until = expiresAt + LISTED_AHEAD;
    await run(scripts.list, [names.user(userId)], [key, until, lifetime(until), clock()]);
    return column(until);
  }

  /** A record that is no longer the user's. Nobody waits for it: an index that lists too much does no harm. */
  function unlist(user: string | null | undefined, key: string): void {
    if (user == null) return;
    const name = names.user(JSON.parse(user));
    commands.send(name, ['ZREM', name, key]).catch(() => {});
  }

  /** @param expected the version to be replaced, as a column; `''` to create */
  function put(key: string, record: SessionRecord, expected: string): Promise<Answer> {
    const { userId, expiresAt } = record;
    const write = nextWrite();
    const times = column(record.lastSeenAt) + column(expiresAt);
    const rest = [column(record.version), write, lifetime(expiresAt), key, restOf(record)];
    const once = (listedUntil: string) =>
      run(scripts.put, names.forScript(key), [expected, times, listedUntil, ...rest]);
    if (userId === null) return once(scripts.NOT_LISTED);
    const listedFirst = () => list(userId, key, expiresAt).then(once);
    if (expected === '') return listedFirst();
    return once(scripts.NOT_LISTED).then(answer => (answer[0] === 'list' ? listedFirst() : answer));
  }

  return {
    read,

    create: (key, record) => put(key, record, '').then(([outcome]) => outcome === 'done'),

    replace: (key, record, expected) =>
      put(key, record, column(expected)).then(([outcome, detail]) => {
        if (outcome === 'done') {
          unlist(detail, key);
          return { ok: true };
        }
        return { ok: false, current: detail == null ? null : recordOf(detail) };
      }),

    async touch(key, lastSeenAt, expiresAt) {
      const times = [column(lastSeenAt), column(expiresAt), lifetime(expiresAt), key];
      let [outcome, user] = await run(scripts.touch, names.forScript(key), [...times, '', scripts.NOT_LISTED]);
      while (outcome === 'list') {
        const listed = String(user);
        const until = await list(JSON.parse(listed), key, expiresAt);
        [outcome, user] = await run(scripts.touch, names.forScript(key), [...times, listed, until]);
      }
      return outcome === 'done';
    },

    async delete(key) {
      const [records, , user] = await run(scripts.remove, names.forScript(key), [key, '', '']);
      unlist(user, key);
      return Number(records) === 1;
    },

    admin: createRedisAdmin({ commands, names, run, read }),
    ready: () => commands.ready(),
    close: () => commands.close(),
  };
}

function checkPrefix(prefix: string): string {
  if (typeof prefix === 'string' && prefix !== '' && !/[{}]/.test(prefix)) return prefix;
  throw invalidOption(
    'prefix',
    'is not text without braces',
    "Give some, such as 'shop:'; braces would decide where a Cluster keeps the sessions.",
  );
}

function checkWait({ replicas, timeout }: { replicas: number; timeout: Duration }): ReplicaWait {
  checkPositive('wait.replicas', replicas, 'Give how many.');
  return { replicas, timeout: toMilliseconds(timeout, 'wait.timeout') };
}
