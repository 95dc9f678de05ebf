/**
 * Applies changes to stored records by compare-and-set. Inside this process the changes to one session go one after the
 * other, and those that arrive while the store is busy go together in one write; against other processes a change that
 * lost is applied again to what stands there now.
 */
import { AsyncResource } from 'node:async_hooks';
import { MadeleineError } from '../errors.ts';
import { type MaybePromise, orElse, whenReady } from '../maybe-promise.ts';
import type { GuardedStore } from './guarded-store.ts';
import { isSameWrite, nextVersion, type SessionRecord } from './record.ts';
import type { Replaced } from './store.ts';

/**
 * From the record that is stored to the one that should be; the very same for no change. Runs again when somebody else wrote first.
 *
 * @param version what the write will have, and all that go with it: each knows by that its own write whose answer was lost
 */
export type Change = (stored: SessionRecord, version: number) => MaybePromise<SessionRecord>;

/** The record as it is stored now. `null`: it is gone. One with a `successor`: the session goes on elsewhere, or not at all. */
export type Applied = SessionRecord | null;

const MOST_ATTEMPTS = 50;
/** In milliseconds. */
const LONGEST_PAUSE = 50;

interface Waiting {
  known: SessionRecord;
  change: Change;
  /** Not to be put together with others: it makes a tombstone of the record, which they could not change any more. */
  alone: boolean;
  failure?: { error: unknown };
  resolve(applied: Applied): void;
  reject(error: unknown): void;
}

export class CommitQueue {
  readonly #store: GuardedStore;
  /** The changes that wait, for each key whose store call is under way. A synchronous store hardly ever puts anything here. */
  readonly #waiting = new Map<string, Waiting[]>();

  constructor(store: GuardedStore) {
    this.#store = store;
  }

  /** Applies a change, beginning from the record as the caller knows it. */
  apply(key: string, known: SessionRecord, change: Change, alone = false): MaybePromise<Applied> {
    const line = this.#waiting.get(key);
    if (line) {
      // It will run in the course of another request: what the application keeps for this one has to come along.
      const bound = AsyncResource.bind(change);
      return new Promise((resolve, reject) => line.push({ known, change: bound, alone, resolve, reject }));
    }
    const applied = this.#attempt(key, known, change, 1);
    if (!(applied instanceof Promise)) return applied;
    this.#waiting.set(key, []);
    const goOn = (latest: Applied) => this.#drain(key, latest);
    applied.then(goOn, () => goOn(null));
    return applied;
  }

  /** Takes what has gathered, up to what has to be alone, and writes it at once, until nothing waits. */
  #drain(key: string, latest: Applied): void {
    const line = this.#waiting.get(key) as Waiting[];
    if (line.length === 0) {
      this.#waiting.delete(key);
      return;
    }
    const alone = line.findIndex(one => one.alone);
    const together = line.splice(0, alone < 0 ? line.length : Math.max(alone, 1));
    const newest = together.map(one => one.known).reduce((a, b) => (b.version > a.version ? b : a));
    const known = latest && latest.version > newest.version ? latest : newest;
    const done =
      known.successor === null
        ? this.#attempt(key, known, (stored, version) => applyAll(together, stored, version), 1)
        : known;
    Promise.resolve(done).then(
      applied => {
        for (const one of together) one.failure ? one.reject(one.failure.error) : one.resolve(applied);
        this.#drain(key, applied);
      },
      error => {
        for (const one of together) one.reject(error);
        this.#drain(key, null);
      },
    );
  }

  #attempt(key: string, known: SessionRecord, change: Change, attempt: number): MaybePromise<Applied> {
    return whenReady(change(known, nextVersion(known.version)), next => {
      if (next === known) return known;
      const answer =
        next.successor === null ? this.#store.replace(key, next, known.version) : this.#bury(key, next, known);
      const synchronous = !(answer instanceof Promise);
      return whenReady(answer, replaced => {
        if (replaced.ok) return next;
        const { current } = replaced;
        if (current === null || current.successor !== null || isSameWrite(current, next)) return current;
        if (attempt >= MOST_ATTEMPTS) throw changedWithoutEnd();
        const again = () => this.#attempt(key, current, change, attempt + 1);
        // A login or logout goes before the writes that it competes with: nobody may hold it up by writing.
        return synchronous || next.successor !== null ? again() : pause(attempt).then(again);
      });
    });
  }

  /** That the answer was lost does not mean that the tombstone was: to stop then would leave the session without any id. */
  #bury(key: string, stone: SessionRecord, known: SessionRecord): MaybePromise<Replaced> {
    const lookAgain = async (error: unknown): Promise<Replaced> => {
      const current = await this.#store.read(key);
      if (isSameWrite(current, stone)) return { ok: true };
      throw error;
    };
    return orElse(() => this.#store.replace(key, stone, known.version), lookAgain);
  }
}

/** One change's failure (a user's function that throws, data that cannot be kept) is its own: the others still go. */
async function applyAll(together: readonly Waiting[], stored: SessionRecord, version: number): Promise<SessionRecord> {
  let record = stored;
  for (const one of together) {
    delete one.failure;
    try {
      record = await one.change(record, version);
    } catch (error) {
      one.failure = { error };
    }
  }
  return record;
}

/** Random, so that processes which collided do not collide again; longer with each attempt. */
function pause(attempt: number): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE, 2 ** attempt);
  return new Promise(resolve => setTimeout(resolve, Math.random() * longest));
}

function changedWithoutEnd(): MadeleineError {
  return new MadeleineError(
    'ERR_CONFLICT',
    `The session was changed by others ${MOST_ATTEMPTS} times while this change was being saved.`,
    'Let the client try again; look for something that writes to one session without end.',
  );
}
