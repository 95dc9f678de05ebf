/**
 * Applies changes to stored records by compare-and-set. Inside this process the changes to one session go one after the
 * other, and those that arrive while the store is busy go together in one write; against other processes a change that
 * lost is applied again to what stands there now.
 */
import { type MaybePromise, whenReady } from '../maybe-promise.ts';
import { checkAttempts, pause } from './attempts.ts';
import type { GuardedStore } from './guarded-store.ts';
import { isSameWrite, type SessionRecord } from './record.ts';

/** From the text that is stored to the text that should be. Runs again when somebody else wrote first. */
export type Change = (stored: string) => MaybePromise<string>;

/** The record as it is stored now. `null`: it is gone. One with a `successor`: the session goes on elsewhere, or not at all. */
export type Applied = SessionRecord | null;

interface Waiting {
  known: SessionRecord;
  change: Change;
  failure?: { error: unknown };
  resolve(applied: Applied): void;
  reject(error: unknown): void;
}

export class CommitQueue {
  readonly #store: GuardedStore;
  readonly #advance: (record: SessionRecord, data: string) => SessionRecord;
  /** The changes that wait, for each key whose store call is under way. A synchronous store never puts anything here. */
  readonly #waiting = new Map<string, Waiting[]>();

  /** @param advance the next version of a record, with this data */
  constructor(store: GuardedStore, advance: (record: SessionRecord, data: string) => SessionRecord) {
    this.#store = store;
    this.#advance = advance;
  }

  /** Applies a change, beginning from the record as the caller knows it. */
  apply(key: string, known: SessionRecord, change: Change): MaybePromise<Applied> {
    const line = this.#waiting.get(key);
    if (line) {
      return new Promise((resolve, reject) => line.push({ known, change, resolve, reject }));
    }
    const applied = this.#attempt(key, known, change, 1);
    if (!(applied instanceof Promise)) return applied;
    this.#waiting.set(key, []);
    const goOn = (latest: Applied) => this.#drain(key, latest);
    applied.then(goOn, () => goOn(null));
    return applied;
  }

  /** Takes everything that has gathered and writes it at once, until nothing waits. */
  #drain(key: string, latest: Applied): void {
    const together = this.#waiting.get(key) ?? [];
    if (together.length === 0) {
      this.#waiting.delete(key);
      return;
    }
    this.#waiting.set(key, []);
    const newest = together.map(one => one.known).reduce((a, b) => (b.version > a.version ? b : a));
    const known = latest && latest.version > newest.version ? latest : newest;
    const done =
      known.successor === null
        ? this.#attempt(key, known, stored => foldChanges(together, stored), 1)
        : Promise.resolve(known);
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
    return whenReady(change(known.data), data => {
      if (data === known.data) return known;
      const next = this.#advance(known, data);
      const answer = this.#store.replace(key, next, known.version);
      const synchronous = !(answer instanceof Promise);
      return whenReady(answer, replaced => {
        if (replaced.ok) return next;
        const { current } = replaced;
        if (current === null || current.successor !== null || isSameWrite(current, next)) return current;
        checkAttempts(attempt);
        const again = () => this.#attempt(key, current, change, attempt + 1);
        return synchronous ? again() : pause(attempt).then(again);
      });
    });
  }
}

/** One change's failure (a user's function that throws, data that cannot be kept) is its own: the others still go. */
async function foldChanges(together: readonly Waiting[], stored: string): Promise<string> {
  let data = stored;
  for (const one of together) {
    delete one.failure;
    try {
      data = await one.change(data);
    } catch (error) {
      one.failure = { error };
    }
  }
  return data;
}
