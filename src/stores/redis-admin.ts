/** What is done over many sessions: of one user, by the index of the user; of all, by the indexes of the buckets. */
import type { SessionRecord } from '../session/record.ts';
import type { StoreAdmin } from '../session/store.ts';
import type { RedisCommands } from './redis-client.ts';
import { BUCKETS, type RedisNames } from './redis-names.ts';
import { column, userLine } from './redis-record.ts';
import type { RunScript } from './redis-run.ts';
import * as scripts from './redis-scripts.ts';

/** How many commands are on their way at once. */
const AT_ONCE = 64;

interface Parts {
  commands: RedisCommands;
  names: RedisNames;
  run: RunScript;
  read(key: string): Promise<SessionRecord | null>;
}

export function createRedisAdmin({ commands, names, run, read }: Parts): StoreAdmin {
  let pruneNext = 0;

  const ask = (name: string, command: string, ...args: Array<string | number>) =>
    commands.send(name, [command, name, ...args.map(String)]);
  const members = async (name: string, command: string, ...args: Array<string | number>) =>
    ((await ask(name, command, ...args)) as unknown[]).map(String);

  /** The records under these keys; those that are gone are left out. */
  async function readAll(keys: string[]): Promise<Array<[string, SessionRecord]>> {
    const records = await inGroups(keys, read);
    return keys.flatMap((key, i): Array<[string, SessionRecord]> => {
      const record = records[i];
      return record ? [[key, record]] : [];
    });
  }

  return {
    async byUser(userId) {
      const found = new Map<string, SessionRecord>();
      for (;;) {
        const keys = await members(names.user(userId), 'ZRANGE', 0, -1);
        const entries = await readAll(keys.filter(key => !found.has(key)));
        for (const [key, record] of entries) found.set(key, record);
        // A tombstone stands where a session was whose next key the index may not have had when it was read.
        if (entries.every(([, record]) => record.successor === null)) break;
      }
      return [...found].filter(([, record]) => record.userId === userId);
    },

    async deleteByUser(userId, except) {
      const name = names.user(userId);
      const keys = (await members(name, 'ZRANGE', 0, -1)).filter(key => key !== except);
      const removed = await inGroups(keys, key => remove(key, userLine(userId), ''));
      // What was not there may be about to be: the index knows of a session before it is created.
      const gone = keys.filter((_, i) => removed[i]?.records === 1);
      if (gone.length > 0) await ask(name, 'ZREM', ...gone);
      return gone.length;
    },

    async page(cursor, limit) {
      // The bucket, and the last key seen in it.
      const [, from = '0', after = ''] = /^(\d+):(.*)$/s.exec(cursor ?? '') ?? [];
      const found: string[] = [];
      // More and more at once: one may hold the whole page where there are many sessions, and many nothing where there are few.
      for (let first = Number(from), width = 1; first < BUCKETS; first += width, width = Math.min(2 * width, AT_ONCE)) {
        const buckets = range(first, Math.min(first + width, BUCKETS));
        const lists = await Promise.all(buckets.map(bucket => members(names.bucket(bucket), 'ZRANGE', 0, -1)));
        for (const [i, keys] of lists.entries()) {
          const bucket = first + i;
          const left = keys.filter(key => bucket > Number(from) || key > after).sort();
          found.push(...left.slice(0, limit - found.length));
          if (found.length === limit) return { entries: await readAll(found), cursor: `${bucket}:${found.at(-1)}` };
        }
      }
      return { entries: await readAll(found), cursor: null };
    },

    async count(now) {
      const counts = await inGroups(range(0, BUCKETS), bucket =>
        ask(names.bucket(bucket), 'ZCOUNT', `(${now}`, '+inf'),
      );
      return counts.reduce((sum: number, count) => sum + Number(count), 0);
    },

    /** What the server has deleted by itself counts too: its entry in the index is what goes. */
    async prune(now, limit) {
      let pruned = 0;
      for (let asked = 0; asked < BUCKETS && pruned < limit; asked += AT_ONCE) {
        const buckets = range(pruneNext, Math.min(pruneNext + AT_ONCE, BUCKETS));
        const expired = (name: string) => members(name, 'ZRANGEBYSCORE', '-inf', now, 'LIMIT', 0, limit - pruned);
        const keys = (await Promise.all(buckets.map(bucket => expired(names.bucket(bucket))))).flat();
        const removed = await inGroups(keys.slice(0, limit - pruned), key => remove(key, '', column(now)));
        pruned += removed.filter(({ entries }) => entries === 1).length;
        // Where there is more, the next call goes on.
        if (pruned < limit) pruneNext = (pruneNext + AT_ONCE) % BUCKETS;
      }
      return pruned;
    },
  };

  /** Removes a record, if it is this user's and has expired by then; `''` where that does not matter. */
  async function remove(key: string, user: string, expiredBy: string): Promise<{ records: number; entries: number }> {
    const [records, entries] = await run(scripts.remove, names.forScript(key), [key, user, expiredBy]);
    return { records: Number(records), entries: Number(entries) };
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** For each item in order, a few at a time. */
async function inGroups<Item, Result>(items: Item[], run: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let first = 0; first < items.length; first += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(first, first + AT_ONCE).map(run))));
  }
  return results;
}
