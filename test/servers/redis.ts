import { type Server, startDaemon } from './daemon.ts';
import { serverFolder, writeServerFile } from './home.ts';
import { freePort } from './ports.ts';
import { program } from './programs.ts';

export interface RedisOptions {
  /** When the append-only file is written to disk. Default 'everysec'; 'no' keeps nothing over a restart. */
  appendonly?: 'always' | 'everysec' | 'no';
  password?: string;
  /** Further lines of redis.conf, such as `{ maxclients: 20 }`. */
  settings?: Record<string, string | number>;
  /** Default: the one that MADELEINE_REDIS_SERVER names, or redis-server or valkey-server on PATH. */
  binary?: string;
}

export interface RedisServer extends Server {
  /** The URL of an empty database that no other call was given; there are 1,024. */
  createDatabase(): string;
}

/** Writes the configuration (the server may rewrite it, as Sentinel does) and starts the server on it. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  return startRedisOn(await freePort(), options);
}

/** The same on a port that others were told before it started. `files` are put into its folder first. */
export async function startRedisOn(
  port: number,
  { appendonly = 'everysec', password, settings = {}, binary = program('redis') }: RedisOptions,
  files: Record<string, string> = {},
): Promise<RedisServer> {
  const lines = {
    databases: 1024,
    save: '""',
    // A replica's first copy would otherwise wait five seconds for others to join in.
    'repl-diskless-sync-delay': 0,
    appendonly: appendonly === 'no' ? 'no' : 'yes',
    ...(appendonly === 'no' ? {} : { appendfsync: appendonly }),
    ...(password ? { requirepass: password, masterauth: password } : {}),
    ...settings,
  };
  const text = Object.entries(lines).map(([name, value]) => `${name} ${value}\n`);
  const daemon = await startRedisDaemon(binary, port, text.join(''), [], files);
  const url = `redis://${password ? `:${encodeURIComponent(password)}@` : ''}127.0.0.1:${port}`;
  let databases = 0;
  return {
    ...daemon,
    port,
    url,
    createDatabase() {
      databases += 1;
      return `${url}/${databases}`;
    },
  };
}

/** A data server, or with '--sentinel' a Sentinel: both read their configuration from a file that they may rewrite. */
export function startRedisDaemon(
  binary: string,
  port: number,
  configuration: string,
  args: string[] = [],
  files: Record<string, string> = {},
): ReturnType<typeof startDaemon> {
  const folder = serverFolder('redis');
  const common = `port ${port}\nbind 127.0.0.1\ndir ${folder}\n`;
  const file = writeServerFile(folder, 'redis.conf', common + configuration);
  for (const [name, text] of Object.entries(files)) writeServerFile(folder, name, text);
  return startDaemon({
    folder,
    program: binary,
    args: [file, ...args],
    ready: /Ready to accept connections|Sentinel ID is/,
  });
}
