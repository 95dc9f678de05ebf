import type { SessionRecord } from '../session/record.ts';
import type { StoreAdmin } from '../session/store.ts';
import { isClaim, laterOf } from './moving-records.ts';

type Entry = [key: string, record: SessionRecord];

/** Before cursors of the old store's walk, and of the new one's. */
const OLD = 'old:';
const NEW = 'new:';

/**
 * The admin part over two stores. Always the old one first: what leaves it meanwhile is then found in the new one.
 *
 * @param bringOver brings a session over if it is still in the old store
 */
export function movingAdmin(from: StoreAdmin, to: StoreAdmin, bringOver: (key: string) => Promise<void>): StoreAdmin {
  /** Answers with those that could not be brought over, and are still where they were. */
  async function bringAll(entries: readonly Entry[]): Promise<Entry[]> {
    const outcomes = await Promise.allSettled(entries.map(([key]) => bringOver(key)));
    return entries.filter((_, index) => outcomes[index]?.status === 'rejected');
  }

  return {
    async byUser(userId) {
      const found = new Map(await from.byUser(userId));
      for (const [key, record] of await to.byUser(userId)) found.set(key, laterOf(found.get(key) ?? record, record));
      return [...found];
    },

    // The new store deletes: it alone can look whose a session is, and delete it, in one step.
    async deleteByUser(userId, except) {
      await bringAll(await from.byUser(userId));
      const deleted = await to.deleteByUser(userId, except);
      // What the new store refuses, and what has expired, which it may collect at once.
      return deleted + (await from.deleteByUser(userId, except));
    },

    // Brings over what it finds in the old store, and shows it in the new one: else what is brought over during the walk
    // would be seen twice, or not at all. What the new store refuses is shown where it is.
    async page(cursor, limit) {
      let next = cursor;
      if (next === null || next.startsWith(OLD)) {
        const old = await from.page(next?.slice(OLD.length) ?? null, limit);
        const refused = await bringAll(old.entries);
        if (old.cursor !== null || refused.length > 0) {
          return { entries: refused, cursor: old.cursor === null ? NEW : OLD + old.cursor };
        }
        next = null;
      }
      const page = await to.page(next?.slice(NEW.length) || null, limit);
      const entries = page.entries.filter(([, record]) => !isClaim(record));
      return { entries, cursor: page.cursor && NEW + page.cursor };
    },

    // A session that is just being brought over may count twice.
    async count(now) {
      return (await from.count(now)) + (await to.count(now));
    },

    async prune(now, limit) {
      const pruned = await from.prune(now, limit);
      return pruned < limit ? pruned + (await to.prune(now, limit - pruned)) : pruned;
    },
  };
}
