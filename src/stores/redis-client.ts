/** The clients that the store takes, by the little it needs of each; and the same few calls over all of them. */
import { MadeleineError } from '../errors.ts';

/** A client of the package `redis`. */
export interface NodeRedisClient {
  sendCommand(args: string[]): Promise<unknown>;
}

/** A pool of such clients. */
export interface NodeRedisPool extends NodeRedisClient {
  execute<T>(run: (client: NodeRedisClient) => Promise<T>): Promise<T>;
  readonly totalClients: number;
}

/** A Sentinel client of the package `redis`. */
export interface NodeRedisSentinel {
  sendCommand(isReadonly: boolean, args: string[]): Promise<unknown>;
  readonly getMasterNode: unknown;
}

/** A Cluster client of the package `redis`. */
export interface NodeRedisCluster {
  sendCommand(firstKey: string, isReadonly: boolean, args: string[]): Promise<unknown>;
  multi(routing: string): {
    addCommand(firstKey: string, isReadonly: boolean, args: string[]): { execAsPipeline(): Promise<unknown> };
  };
  readonly slots: unknown;
}

/** A `Redis` of the package `ioredis`, over Sentinel too. */
export interface IoRedisClient {
  call(command: string, args: string[]): Promise<unknown>;
}

/** A `Cluster` of the package `ioredis`. */
export interface IoRedisCluster extends IoRedisClient {
  pipeline(commands: string[][]): { exec(): Promise<unknown> };
  readonly isCluster: boolean;
  readonly options: { scaleReads?: unknown };
}

export type RedisClient =
  | NodeRedisClient
  | NodeRedisPool
  | NodeRedisSentinel
  | NodeRedisCluster
  | IoRedisClient
  | IoRedisCluster;

export interface RedisCommands {
  /** Whether the client knows its way about a Cluster. */
  readonly cluster: boolean;
  /** Sends a command to the master that keeps `key`. */
  send(key: string, args: string[]): Promise<unknown>;
  /**
   * Waits until so many replicas of that master have what was written on this connection, or for `timeout` milliseconds; says
   * how many have.
   */
  wait(key: string, replicas: number, timeout: number): Promise<number>;
  /** Runs commands on one connection. Absent where each master has but one. */
  readonly together?: Together;
}

export type Together = <T>(run: (commands: RedisCommands) => Promise<T>) => Promise<T>;

/**
 * Every command goes to a master, reads too: a replica may not yet know what this very visitor has just written.
 *
 * @throws MadeleineError `ERR_STORE_INVALID` when it is no such client, or reads from replicas
 */
export function commandsOf(client: RedisClient): RedisCommands {
  if (client === null || typeof client !== 'object') throw notAClient();
  if ('call' in client && typeof client.call === 'function') {
    return 'isCluster' in client && client.isCluster ? ioRedisCluster(client) : ioRedis(client);
  }
  if (!('sendCommand' in client) || typeof client.sendCommand !== 'function') throw notAClient();
  if ('slots' in client) return nodeRedisCluster(client);
  // With a masterPoolSize above 1 it spreads commands as a pool does; but its `use` builds a class for each call, tens of ms.
  if ('getMasterNode' in client) return plain(args => client.sendCommand(false, args));
  return 'totalClients' in client ? nodeRedisPool(client) : nodeRedis(client as NodeRedisClient);
}

/** One server at a time, which keeps every key. */
export function plain(send: (args: string[]) => Promise<unknown>): RedisCommands {
  return {
    cluster: false,
    send: (_key, args) => send(args),
    wait: async (_key, replicas, timeout) => Number(await send(['WAIT', String(replicas), String(timeout)])),
  };
}

const nodeRedis = (client: NodeRedisClient): RedisCommands => plain(args => client.sendCommand(args));

const nodeRedisPool = (pool: NodeRedisPool): RedisCommands => ({
  ...nodeRedis(pool),
  together: run => pool.execute(client => run(nodeRedis(client))),
});

const ioRedis = (client: IoRedisClient): RedisCommands =>
  plain(([command = '', ...rest]) => client.call(command, rest));

function nodeRedisCluster(client: NodeRedisCluster): RedisCommands {
  return {
    cluster: true,
    send: (key, args) => client.sendCommand(key, false, args),
    // As a plain command it would go to every master, and wait for the slowest.
    async wait(key, replicas, timeout) {
      const command = ['WAIT', String(replicas), String(timeout)];
      const [count] = (await client.multi(key).addCommand(key, false, command).execAsPipeline()) as [unknown];
      return Number(count);
    },
  };
}

function ioRedisCluster(client: IoRedisCluster): RedisCommands {
  if (client.options.scaleReads !== undefined && client.options.scaleReads !== 'master') throw readsFromReplicas();
  return {
    ...ioRedis(client),
    cluster: true,
    // WAIT names no key: what goes along names the master.
    async wait(key, replicas, timeout) {
      const commands = [
        ['pttl', key],
        ['wait', String(replicas), String(timeout)],
      ];
      const [, [error, count]] = (await client.pipeline(commands).exec()) as [unknown, [Error | null, unknown]];
      if (error) throw error;
      return Number(count);
    },
  };
}

function notAClient(): MadeleineError {
  return new MadeleineError(
    'ERR_STORE_INVALID',
    'This is neither a Redis URL nor a client of "redis" or "ioredis".',
    "Call redisStore('redis://localhost:6379'), or pass what createClient(), createCluster() or new Redis() returns.",
  );
}

function readsFromReplicas(): MadeleineError {
  return new MadeleineError(
    'ERR_STORE_INVALID',
    'This Cluster client reads from replicas, which may not yet know what was written a moment ago.',
    "Make a client without scaleReads for the store, or set it to 'master'.",
  );
}
