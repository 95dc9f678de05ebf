/**
 * The store contract: where sessions are kept. A store is five methods over opaque keys, and may be synchronous.
 *
 * - Absence is a value (`null`, `false`); only a fault throws or rejects.
 * - `create` never overwrites; `replace` and `touch` never bring anything back; `delete` is idempotent.
 * - A store decides nothing about time. Whether a session still counts is decided in `policy.ts` from the record's own
 *   times; `expiresAt` only tells a store when it may collect the record as garbage.
 * - Records go in and come out by value: changing one that was read or given changes nothing in the store.
 *
 * `storeConformance` in `madeleine/testing` checks every sentence of this contract against any store.
 */
import type { MaybePromise } from '../maybe-promise.ts';
import type { SessionRecord } from './record.ts';

/** What became of a `replace`: done, or refused with the record that stands in its place (`null`: there is none). */
export type Replaced = { ok: true } | { ok: false; current: SessionRecord | null };

/** Where sessions are kept. `storeConformance` in `madeleine/testing` checks each sentence here. */
export interface SessionStore {
  /** The record under this key as it was last written, or `null`. It may have expired: the caller decides that. */
  read(key: string): MaybePromise<SessionRecord | null>;
  /** Stores a new record. `false`: the key exists, and nothing was changed. */
  create(key: string, record: SessionRecord): MaybePromise<boolean>;
  /** Compare and set, atomically: stores the record if the one in place has the version `expected`, else says what stands there. */
  replace(key: string, record: SessionRecord, expected: number): MaybePromise<Replaced>;
  /**
   * Moves `lastSeenAt` and `expiresAt` forward, each only if that is later than what is stored; the version stays.
   * `false`: there is no such record (none was made).
   */
  touch(key: string, lastSeenAt: number, expiresAt: number): MaybePromise<boolean>;
  /** Removes the record. `true` if there was one. */
  delete(key: string): MaybePromise<boolean>;
  /** What `list`, `scan`, `revokeAll` and `prune` need. */
  admin?: StoreAdmin;
  /** Releases what the store opened itself (files, connections, timers). Calling it twice is harmless. */
  close?(): MaybePromise<void>;
}

/** What a store can do with many sessions. */
export interface StoreAdmin {
  /** All records with this `userId`, expired ones included, in no promised order. */
  byUser(userId: string): MaybePromise<Array<[key: string, record: SessionRecord]>>;
  /** Deletes all records of one user, save the one under the key `except`; says how many. */
  deleteByUser(userId: string, except?: string): MaybePromise<number>;
  /**
   * Walks through everything, at most `limit` entries at a time: begin with `null`, go on with the cursor you were given,
   * until it is `null`. A record that is there during the whole walk is seen exactly once; others may be seen or not.
   */
  page(cursor: string | null, limit: number): MaybePromise<Page>;
  /** How many records have `expiresAt` later than `now`. */
  count(now: number): MaybePromise<number>;
  /** Deletes at most `limit` records whose `expiresAt` is not later than `now`; says how many. */
  prune(now: number, limit: number): MaybePromise<number>;
}

/** One step of a walk through a store. */
export interface Page {
  entries: Array<[key: string, record: SessionRecord]>;
  /** Where the next page begins; `null` after the last. */
  cursor: string | null;
}
