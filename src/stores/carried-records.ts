import type { Clock } from '../clock.ts';
import { MadeleineError } from '../errors.ts';
import { type MaybePromise, whenReady } from '../maybe-promise.ts';
import type { CarriedRecords, RecordsHolder } from '../session/carried-store.ts';
import { noAdmin } from '../session/guarded-store.ts';
import type { Policy } from '../session/policy.ts';
import { copyRecord, type SessionRecord } from '../session/record.ts';
import type { Replaced, StoreAdmin } from '../session/store.ts';
import { inGrace, rotatedTo, tombstoneReason } from '../session/tombstone.ts';
import type { Revocation } from './revocation.ts';

/**
 * The records of one request: the one that its cookies brought, and those that it makes. To the session layer they are a
 * store like any other; a tombstone in them goes on the denylist as well, which is what other requests see of it.
 */
export class RequestRecords implements CarriedRecords {
  holder: RecordsHolder | null = null;
  readonly #records = new Map<string, SessionRecord>();
  /** Where the id was rotated away a moment ago: what was brought can still be read, and no longer be changed. */
  readonly #rotated = new Map<string, SessionRecord>();
  readonly #revocation: Revocation;
  readonly #check: (record: SessionRecord) => void;
  readonly #clock: Clock;
  readonly #policy: Policy;
  /** The keys that this request has made, also for what did not fit: nobody else knows them. */
  readonly #made = new Set<string>();
  #headHasLeft = false;

  /** @param check throws for a record that is too large to be carried */
  constructor(revocation: Revocation, check: (record: SessionRecord) => void, clock: Clock, policy: Policy) {
    this.#revocation = revocation;
    this.#check = check;
    this.#clock = clock;
    this.#policy = policy;
  }

  /** What the request's cookies hold. */
  bring(key: string, record: SessionRecord): void {
    this.#records.set(key, record);
  }

  /** The record that the browser is to have, if it may have it. */
  current(key: string): SessionRecord | null {
    const record = this.#records.get(key);
    return record === undefined || record.successor !== null || this.#rotated.has(key) ? null : record;
  }

  headLeaves(): void {
    this.#headHasLeft = true;
  }

  read(key: string): MaybePromise<SessionRecord | null> {
    const brought = this.#records.get(key) ?? null;
    if (brought !== null && brought.successor !== null) return copyRecord(brought);
    return whenReady(this.#revocation.find(key), stone => {
      if (brought === null) return stone;
      if (stone === null) return this.#unlessOutdated(brought);
      if (tombstoneReason(stone) !== 'rotated' || !inGrace(stone, this.#clock(), this.#policy)) return stone;
      return whenReady(this.#endAfter(stone), end => {
        if (end !== null) return end;
        this.#rotated.set(key, stone);
        return this.#unlessOutdated(brought);
      });
    });
  }

  #unlessOutdated(brought: SessionRecord): MaybePromise<SessionRecord | null> {
    return whenReady(this.#revocation.isOutdated(brought), outdated => (outdated ? null : copyRecord(brought)));
  }

  /** The tombstone of the session under the id that took this one's place, or the next, if it has ended there. */
  #endAfter(stone: SessionRecord): MaybePromise<SessionRecord | null> {
    const found = rotatedTo({ read: key => this.#revocation.find(key) }, stone);
    return whenReady(found, end => end?.record ?? null);
  }

  create(key: string, record: SessionRecord): boolean {
    if (this.#records.has(key)) return false;
    this.#made.add(key);
    this.#put(key, record);
    return true;
  }

  replace(key: string, record: SessionRecord, expected: number): MaybePromise<Replaced> {
    const current = this.#records.get(key);
    if (current === undefined) return { ok: false, current: null };
    const rotated = this.#rotated.get(key);
    if (rotated !== undefined) return { ok: false, current: copyRecord(rotated) };
    if (current.version !== expected) return { ok: false, current: copyRecord(current) };
    if (record.successor !== null) return this.#bury(key, current, record);
    return whenReady(this.#endedMeanwhile(key), stone => {
      if (stone !== null) return { ok: false, current: copyRecord(stone) };
      this.#put(key, record);
      return { ok: true };
    });
  }

  /** Asked before the cookie is made anew: sent for an id that was given up, it would take the place of the next one's. */
  #endedMeanwhile(key: string): MaybePromise<SessionRecord | null> {
    if (this.#made.has(key)) return null;
    return whenReady(this.#revocation.find(key), stone => {
      if (stone !== null) this.#records.set(key, stone);
      return stone;
    });
  }

  /** Here at once, so that nothing in this request slips past; there for all others. */
  async #bury(key: string, ended: SessionRecord, stone: SessionRecord): Promise<Replaced> {
    // With a denylist a session can be ended at any time, whatever its cookie goes on to say.
    if (this.#revocation.denylist === null) this.#needHead();
    this.#records.set(key, copyRecord(stone));
    try {
      const standing = await this.#revocation.refuse(key, ended, stone);
      if (standing === null) return { ok: true };
      this.#records.set(key, standing);
      return { ok: false, current: copyRecord(standing) };
    } catch (error) {
      this.#records.set(key, ended);
      throw error;
    }
  }

  touch(key: string, lastSeenAt: number, expiresAt: number): MaybePromise<boolean> {
    const record = this.current(key);
    if (record === null) return false;
    return whenReady(this.#endedMeanwhile(key), stone => {
      if (stone !== null) return false;
      this.#put(key, {
        ...record,
        lastSeenAt: Math.max(lastSeenAt, record.lastSeenAt),
        expiresAt: Math.max(expiresAt, record.expiresAt),
      });
      return true;
    });
  }

  /**
   * A record that is here is dropped, and that is all: it was buried before, was never sent, or has expired, and then the
   * session may live on in another copy. A key that is not here belongs to a session of another request: it is refused from now on.
   */
  delete(key: string): MaybePromise<boolean> {
    if (!this.#records.delete(key)) return !this.#made.has(key) && this.#revocation.refuseKey(key);
    // Given up here. If a tombstone leads there all the same, as its answer was lost, whoever deletes it again ends that session.
    this.#made.delete(key);
    return true;
  }

  #put(key: string, record: SessionRecord): void {
    this.#needHead();
    this.#check(record);
    this.#records.set(key, copyRecord(record));
    this.holder?.recordChanged();
  }

  #needHead(): void {
    if (!this.#headHasLeft) return;
    throw new MadeleineError(
      'ERR_HEADERS_SENT',
      'The session travels in cookies, and it was changed after the head of the response had left.',
      'Change it before the first byte, or keep sessions in a store on the server.',
    );
  }

  get hasAdmin(): boolean {
    return this.#revocation.denylist?.hasAdmin ?? false;
  }

  admin<T>(operation: keyof StoreAdmin, run: (admin: StoreAdmin) => MaybePromise<T>): MaybePromise<T> {
    const { denylist } = this.#revocation;
    // The denylist is all that can be pruned; what else it could answer would be about tombstones.
    if (operation === 'prune' && denylist !== null) return denylist.admin(operation, run);
    throw noAdmin(
      operation,
      'Sessions that travel in cookies can be listed by nobody: keep them in a store on the server.',
    );
  }

  close(): MaybePromise<void> {
    return this.#revocation.denylist?.close();
  }
}
