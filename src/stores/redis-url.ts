/** Connections for a Redis URL, by whichever driver is installed. */
import { MadeleineError } from '../errors.ts';
import { loadPeer } from './load-peer.ts';
import { checkEncoding } from './server-store.ts';

/** One connection to one server: never opened again once it is lost, and it sends nothing twice. */
export interface RedisLink {
  connect(): Promise<unknown>;
  readonly isReady: boolean;
  send(args: string[]): Promise<unknown>;
  /** Closes it: what waits for an answer fails. May be repeated. */
  drop(): void;
}

interface NodeRedis {
  createClient(options: object): {
    connect(): Promise<unknown>;
    readonly isOpen: boolean;
    readonly isReady: boolean;
    sendCommand(args: string[]): Promise<unknown>;
    destroy(): void;
    on(event: 'error', listener: (error: unknown) => void): unknown;
  };
}

interface IoRedis {
  Redis: new (
    url: string,
    options: object,
  ) => {
    connect(): Promise<unknown>;
    readonly status: string;
    call(command: string, args: string[]): Promise<unknown>;
    disconnect(): void;
    on(event: 'error', listener: (error: unknown) => void): unknown;
  };
}

/**
 * @returns what makes a new, unconnected link to the server of this URL
 * @throws MadeleineError `ERR_STORE_INVALID` when it is no Redis URL, `ERR_DRIVER_MISSING` when neither driver is installed
 */
export function linksTo(url: string): () => RedisLink {
  const checked = checkUrl(url);
  let missing: unknown;
  try {
    const driver = loadPeer('redis') as NodeRedis;
    return () => nodeRedisLink(driver, checked);
  } catch (error) {
    missing = error;
  }
  try {
    const driver = loadPeer('ioredis') as IoRedis;
    return () => ioRedisLink(driver, checked);
  } catch {
    throw missing;
  }
}

function nodeRedisLink({ createClient }: NodeRedis, url: string): RedisLink {
  const client = createClient({
    url,
    socket: { reconnectStrategy: false },
    disableOfflineQueue: true,
    // Its own deadline for each command would be an AbortSignal, a tenth of a command's cost: the connection and the session have theirs.
    commandOptions: { timeout: undefined },
  });
  // What goes wrong also fails the calls it concerns; unheard, it would end the process.
  client.on('error', () => {});
  return {
    connect: () => client.connect(),
    get isReady() {
      return client.isReady;
    },
    send: args => client.sendCommand(args),
    drop() {
      if (client.isOpen) client.destroy();
    },
  };
}

function ioRedisLink({ Redis }: IoRedis, url: string): RedisLink {
  const client = new Redis(url, { lazyConnect: true, enableOfflineQueue: false, retryStrategy: null });
  let reason: unknown;
  client.on('error', error => {
    reason ??= error;
  });
  return {
    async connect() {
      try {
        await client.connect();
      } catch (error) {
        throw reason ?? error; // the error itself says no more than that the connection is closed
      }
    },
    get isReady() {
      return client.status === 'ready';
    },
    send: ([command = '', ...rest]) => client.call(command, rest),
    drop: () => client.disconnect(),
  };
}

/** Without the URL in the error: there may be a password in it. */
function checkUrl(text: string): string {
  const url = text.replace(/^valkey(s?:)/i, 'redis$1');
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null) throw wrongUrl('This is not a Redis URL.');
  if (parsed.protocol !== 'redis:' && parsed.protocol !== 'rediss:') throw wrongUrl('This is not the URL of a Redis.');
  if (!/^\/?\d*$/.test(parsed.pathname)) throw wrongUrl('The path of the Redis URL is not the number of a database.');
  checkEncoding(parsed);
  return url;
}

function wrongUrl(problem: string): MadeleineError {
  const remedy =
    'Give it as redis://user:password@host:6379/0, with rediss: for TLS; special characters are percent-encoded.';
  return new MadeleineError('ERR_STORE_INVALID', problem, remedy);
}
