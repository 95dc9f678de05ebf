/**
 * Moves sessions from one store to another while they are in use.
 *
 * A session is read where it is, and brought over before anything is written to it. Two stores have no transaction in
 * common, so this rests on an order of steps that holds whatever several processes do at once, and wherever one stops:
 *
 * 1. Take the place in the new store with a claim: an empty record of a version that nobody else has.
 * 2. Read the old store, now that the place is taken.
 * 3. Put what was there in the place of that very claim: compare and set.
 * 4. Delete it in the old store, and only then write to it in the new one.
 *
 * A session is deleted after it was brought over, in the new store. So whoever read it in the old one before that, in (2),
 * holds a claim that is gone, and fails at (3); whoever takes a place afterwards finds nothing at (2), and the claim stays
 * empty. Nothing comes back, however late a step is done. A claim whose process stopped is taken up by the next writer.
 *
 * An older copy that stands in the new store (an interrupted `copySessions`) is treated as such a claim.
 */
import { type Clock, checkClock } from '../clock.ts';
import { randomToken, sha256 } from '../crypto/token.ts';
import { MadeleineError } from '../errors.ts';
import { checkOptions } from '../options.ts';
import { adminOf, checkStore } from '../session/guarded-store.ts';
import type { SessionRecord } from '../session/record.ts';
import { pagesOf } from '../session/scan.ts';
import type { SessionStore } from '../session/store.ts';
import { movingAdmin } from './moving-admin.ts';
import { claimFor, isClaim, laterOf } from './moving-records.ts';
import { Refusals } from './refusals.ts';

export { type CopyOptions, type CopyProgress, copySessions } from './copy-sessions.ts';

export interface MovingStoreOptions {
  /** Says what is still live, for `remaining`. Default: the machine's clock. */
  clock?: Clock;
}

export interface MovingStore extends SessionStore {
  /** How many live sessions are still in the old store. At 0 the new one can be used alone. */
  remaining(): Promise<number>;
  /**
   * Brings over all that are left, used or not; says how many they were. One that cannot be brought over does not stop the
   * others.
   *
   * @throws MadeleineError `ERR_STORE_FAILED` at the end when there were such, or before it when there were a hundred
   */
  finish(): Promise<number>;
}

/**
 * A store that moves sessions from one store to another as they are used. Every process of the application has to use it:
 * one that still uses `from` alone does not see what was brought over. `to` has to be empty at first: what has ended in
 * `from` since a `copySessions` would be alive again.
 *
 * It can list, revoke and prune if both stores can. `close()` closes both.
 *
 * @throws MadeleineError `ERR_STORE_INVALID` when one of them is not a store, `ERR_OPTION_*` for wrong options or twice the
 *   same store; two stores over the same data are told apart, and refused, at the first write
 */
export function movingStore(from: SessionStore, to: SessionStore, options: MovingStoreOptions = {}): MovingStore {
  const clock = checkClock(checkOptions(options, ['clock'], 'movingStore').clock);
  checkStore(from, 'The store to move from');
  checkStore(to, 'The store to move to');
  if (from === to) throw sameStore();
  let apart = false;

  /** Brings the record over if it is still in the old store: afterwards the new one alone is right about this key. */
  async function bringOver(key: string): Promise<void> {
    const old = await from.read(key);
    if (old === null) return;
    if (!apart) apart = await tellApart(from, to, old);
    let place = claimFor(key, old);
    if (!(await to.create(key, place))) {
      const there = await to.read(key);
      if (there === null) return;
      place = there;
    }
    const record = await from.read(key);
    if (record === null) return;
    if (isClaim(place) || place.version < record.version) {
      const placed = await to.replace(key, record, place.version);
      if (!placed.ok && unlessClaim(placed.current) === null) return;
    } else {
      // Brought over already, by a process that did not come to delete it. Or copied: then it may have been seen since.
      await to.touch(key, record.lastSeenAt, record.expiresAt);
    }
    await from.delete(key);
  }

  async function read(key: string): Promise<SessionRecord | null> {
    // In this order: what is not in the old store by now is in the new one a moment later, or nowhere.
    const old = await from.read(key);
    const here = unlessClaim(await to.read(key));
    return old !== null && here !== null ? laterOf(old, here) : (old ?? here);
  }

  async function readHere(key: string): Promise<SessionRecord | null> {
    await bringOver(key);
    return unlessClaim(await to.read(key));
  }

  return {
    read,

    async create(key, record) {
      if ((await read(key)) !== null) return false;
      if (await to.create(key, record)) return true;
      // The old store has nothing under this key and never will: if this is a claim, nothing comes in its place.
      const there = await to.read(key);
      return there !== null && isClaim(there) && (await to.replace(key, record, there.version)).ok;
    },

    async replace(key, record, expected) {
      await bringOver(key);
      const replaced = await to.replace(key, record, expected);
      return replaced.ok ? replaced : { ok: false, current: unlessClaim(replaced.current) };
    },

    async touch(key, lastSeenAt, expiresAt) {
      return (await readHere(key)) !== null && to.touch(key, lastSeenAt, expiresAt);
    },

    async delete(key) {
      if ((await readHere(key)) !== null) return to.delete(key);
      // What has expired cannot always be brought over: the new store may collect it at once.
      return from.delete(key);
    },

    ...(from.admin && to.admin ? { admin: movingAdmin(from.admin, to.admin, bringOver) } : {}),

    async remaining() {
      return adminOf(from, 'count').count(clock());
    },

    async finish() {
      let brought = 0;
      const refusals = new Refusals();
      for await (const { entries } of pagesOf(adminOf(from, 'page'))) {
        await Promise.all(entries.map(([key]) => bringOver(key).catch(refusals.of(key))));
        brought += entries.length;
        refusals.check();
      }
      refusals.check(1);
      return brought;
    },

    async close() {
      await from.close?.();
      await to.close?.();
    },
  };
}

function unlessClaim(record: SessionRecord | null): SessionRecord | null {
  return record !== null && isClaim(record) ? null : record;
}

/**
 * Makes sure that the stores do not hold the same data: to bring a session over would then be to delete it. `false`: it
 * could not be told this time.
 */
async function tellApart(from: SessionStore, to: SessionStore, old: SessionRecord): Promise<boolean> {
  const key = sha256(randomToken());
  await to.create(key, claimFor(key, old));
  const told = (await to.read(key)) !== null;
  const same = (await from.read(key)) !== null;
  await to.delete(key);
  if (same) throw sameStore();
  return told;
}

function sameStore(): MadeleineError {
  return new MadeleineError(
    'ERR_OPTION_CONFLICT',
    'movingStore() was given two stores over the same data.',
    'Give the store where the sessions are and another one, in this order.',
  );
}
