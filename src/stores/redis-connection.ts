/**
 * The connection that the store opens by itself: when something has to be sent and there is none, or it was lost. Nothing is
 * queued behind a server that is down, and nothing is sent twice. One timer sees when a server has fallen silent: a host that
 * vanishes says nothing, and TCP alone would wait a quarter of an hour.
 */
import { withDeadline } from '../deadline.ts';
import { MadeleineError } from '../errors.ts';
import { explained, messageOf, unreachable } from './redis-server.ts';
import type { RedisLink } from './redis-url.ts';
import { once, storeClosed, UnderWay } from './server-store.ts';

/** All times in milliseconds. */
const LONGEST_CONNECT = 4_000;
const LONGEST_SILENCE = 5_000;
const LONGEST_END = 1_000;
/** After an attempt that failed, calls fail at once for so long: a server that is down is not asked with every request. */
const PAUSE = 200;

export interface RedisConnection {
  /** Connects, if there is no connection. */
  ready(): Promise<void>;
  send(args: string[]): Promise<unknown>;
  close(): Promise<void>;
}

/** @param check rejects when the server at the other end will not do; run on each new connection */
export function createConnection(
  createLink: () => RedisLink,
  check: (send: RedisLink['send']) => Promise<void>,
): RedisConnection {
  let link: RedisLink | null = null;
  let opening: Promise<RedisLink> | null = null;
  let failed: { error: unknown; until: number } | null = null;
  let closed = false;
  let silent = false;
  const waiting = new UnderWay();

  async function connect(): Promise<RedisLink> {
    link?.drop();
    link = null;
    const made = createLink();
    try {
      await withDeadline(
        made.connect().then(() => check(made.send)),
        LONGEST_CONNECT,
        noAnswer,
      );
      if (closed) throw storeClosed('Redis');
      link = made;
      failed = null;
      return made;
    } catch (cause) {
      const error = explained(cause);
      throw giveUp(made, error instanceof MadeleineError ? error : unreachable(error));
    }
  }

  function giveUp(bad: RedisLink, error: unknown): unknown {
    bad.drop();
    failed = { error, until: performance.now() + PAUSE };
    return error;
  }

  async function open(): Promise<RedisLink> {
    if (closed) throw storeClosed('Redis');
    if (link?.isReady) return link;
    if (opening === null && failed !== null && performance.now() < failed.until) throw failed.error;
    opening ??= connect().finally(() => {
      opening = null;
    });
    return opening;
  }

  function answered(): void {
    silent = false;
    waiting.end();
  }

  // Each command goes through here: promises in a chain cost less than functions that await each other.
  function ask(through: RedisLink, args: string[]): Promise<unknown> {
    return through.send(args).then(
      answer => {
        answered();
        return answer;
      },
      error => {
        answered();
        // The master has become a replica: the name in the URL may lead to the new master by now.
        throw /^READONLY/.test(messageOf(error)) ? giveUp(through, error) : explained(error);
      },
    );
  }

  const watch = setInterval(() => {
    if (silent && waiting.count > 0) link?.drop();
    silent = true;
  }, LONGEST_SILENCE);
  watch.unref();

  return {
    async ready() {
      await open();
    },
    send(args) {
      const tooMany = waiting.begin();
      if (tooMany) return Promise.reject(tooMany);
      if (waiting.count === 1) silent = false;
      if (link?.isReady && !closed) return ask(link, args);
      return open().then(
        through => ask(through, args),
        error => {
          answered();
          throw error;
        },
      );
    },
    close: once(async () => {
      clearInterval(watch);
      await withDeadline(waiting.ended(), LONGEST_END, noAnswer).catch(() => {});
      closed = true;
      link?.drop();
    }).done,
  };
}

function noAnswer(): Error {
  return new Error('The server did not answer in time');
}
