import { type Clock, checkClock } from '../clock.ts';
import { MadeleineError } from '../errors.ts';
import { checkOptions, checkPositive } from '../options.ts';
import { copyRecord, type SessionRecord } from '../session/record.ts';
import type { Replaced, SessionStore, StoreAdmin } from '../session/store.ts';
import { ExpiryQueue } from './expiry-queue.ts';
import { LargeMap } from './large-map.ts';
import { Recency } from './recency.ts';

export interface MemoryStoreOptions {
  /** The most sessions it holds. Default 100,000. */
  maxSessions?: number | undefined;
  /** The most bytes of session data it holds, counted as UTF-8; a record costs up to 1 kB beside its data. Default 256 MiB. */
  maxBytes?: number | undefined;
  /** Says what has expired and may go. Default: the machine's clock. */
  clock?: Clock | undefined;
}

/**
 * Keeps sessions in this process's memory, and no longer than the process lives.
 *
 * It is bounded: when it is full, expired records leave first, then anonymous ones, then logged-in ones, each class in
 * the order of last use; so a flood of new visitors logs nobody out.
 *
 * @throws MadeleineError `ERR_OPTION_UNKNOWN`; `ERR_OPTION_INVALID` for a limit that is not a positive whole number
 */
export function memoryStore(options: MemoryStoreOptions = {}): SessionStore & { readonly admin: StoreAdmin } {
  const given = checkOptions(options, ['maxSessions', 'maxBytes', 'clock'], 'memoryStore');
  const { maxSessions = 100_000, maxBytes = 256 * 1024 * 1024, clock } = given;
  checkPositive('maxSessions', maxSessions, BY_DEFAULT);
  checkPositive('maxBytes', maxBytes, BY_DEFAULT);
  return new MemoryStore(maxSessions, maxBytes, checkClock(clock));
}

const BY_DEFAULT = 'Leave it out for the default.';

interface Entry {
  readonly key: string;
  record: SessionRecord;
  bytes: number;
  /** Counts creations: the order in which `page` walks a part of the entries, which no later change disturbs. */
  readonly serial: number;
  older: Entry | null;
  newer: Entry | null;
  place: number;
}

/**
 * Every write takes away at most this many expired records. That is enough without a timer: a create adds one and takes
 * two, so garbage shrinks while records come in, nothing grows while none do, and a full store takes all it needs.
 */
const EXPIRED_PER_WRITE = 2;

class MemoryStore implements SessionStore {
  readonly #maxSessions: number;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  readonly #entries = new LargeMap<Entry>();
  readonly #anonymous = new Recency<Entry>();
  readonly #loggedIn = new Recency<Entry>();
  readonly #byUser = new LargeMap<Set<Entry>>();
  readonly #byExpiry = new ExpiryQueue<Entry>();
  #bytes = 0;
  #created = 0;

  constructor(maxSessions: number, maxBytes: number, clock: Clock) {
    this.#maxSessions = maxSessions;
    this.#maxBytes = maxBytes;
    this.#clock = clock;
  }

  read(key: string): SessionRecord | null {
    const entry = this.#entries.get(key);
    if (!entry) return null;
    this.#recencyOf(entry).refresh(entry);
    return copyRecord(entry.record);
  }

  create(key: string, record: SessionRecord): boolean {
    if (this.#entries.has(key)) return false;
    const bytes = this.#measure(record);
    const serial = ++this.#created;
    const entry: Entry = { key, record: copyRecord(record), bytes, serial, older: null, newer: null, place: 0 };
    this.#entries.set(key, entry);
    this.#link(entry);
    this.#makeRoom(entry);
    return true;
  }

  replace(key: string, record: SessionRecord, expected: number): Replaced {
    const entry = this.#entries.get(key);
    if (!entry) return { ok: false, current: null };
    if (entry.record.version !== expected) return { ok: false, current: copyRecord(entry.record) };
    const bytes = this.#measure(record);
    if (entry.record.userId === record.userId && entry.record.authenticatedAt === record.authenticatedAt) {
      const movesExpiry = entry.record.expiresAt !== record.expiresAt;
      this.#bytes += bytes - entry.bytes;
      entry.record = copyRecord(record);
      entry.bytes = bytes;
      this.#recencyOf(entry).refresh(entry);
      if (movesExpiry) this.#byExpiry.moved(entry);
    } else {
      this.#unlink(entry);
      entry.record = copyRecord(record);
      entry.bytes = bytes;
      this.#link(entry);
    }
    this.#makeRoom(entry);
    return { ok: true };
  }

  touch(key: string, lastSeenAt: number, expiresAt: number): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    const { record } = entry;
    if (lastSeenAt > record.lastSeenAt) record.lastSeenAt = lastSeenAt;
    if (expiresAt > record.expiresAt) {
      record.expiresAt = expiresAt;
      this.#byExpiry.moved(entry);
    }
    this.#recencyOf(entry).refresh(entry);
    return true;
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry) this.#remove(entry);
    return entry !== undefined;
  }

  readonly admin: StoreAdmin = {
    byUser: userId => Array.from(this.#byUser.get(userId) ?? [], pairOf),

    deleteByUser: (userId, except) => {
      const doomed = [...(this.#byUser.get(userId) ?? [])].filter(entry => entry.key !== except);
      for (const entry of doomed) this.#remove(entry);
      return doomed.length;
    },

    page: (cursor, limit) => {
      const [first, after] = (cursor ?? '0:0').split(':').map(Number) as [number, number];
      const found: Entry[] = [];
      let next: string | null = null;
      for (const { value: entry, part } of this.#entries.values(first)) {
        if (part === first && entry.serial <= after) continue;
        found.push(entry);
        if (found.length < limit) continue;
        next = `${part}:${entry.serial}`;
        break;
      }
      return { entries: found.map(pairOf), cursor: next };
    },

    count: now => {
      let live = 0;
      for (const { value } of this.#entries.values()) if (value.record.expiresAt > now) live++;
      return live;
    },

    prune: (now, limit) => this.#collect(now, limit),
  };

  /** Removes at most `limit` expired records, the longest expired first. */
  #collect(now: number, limit: number): number {
    let collected = 0;
    for (; collected < limit; collected++) {
      const first = this.#byExpiry.first;
      if (!first || first.record.expiresAt > now) break;
      this.#remove(first);
    }
    return collected;
  }

  /** Brings the store back within its bounds; what was `written` just now is never what has to leave. */
  #makeRoom(written: Entry): void {
    const now = this.#clock();
    this.#collect(now, EXPIRED_PER_WRITE);
    while (this.#entries.size > this.#maxSessions || this.#bytes > this.#maxBytes) {
      if (this.#collect(now, 1) === 1) continue;
      // The one just written is the newest of its class: if it is the oldest too, it is alone in it.
      const anonymous = this.#anonymous.oldest;
      const leaving = anonymous && anonymous !== written ? anonymous : this.#loggedIn.oldest;
      // There is one: what was written fits into an empty store.
      this.#remove(leaving as Entry);
    }
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#unlink(entry);
  }

  /** Enters a record into every order and sum but the map of keys. */
  #link(entry: Entry): void {
    const { userId } = entry.record;
    this.#bytes += entry.bytes;
    this.#recencyOf(entry).add(entry);
    this.#byExpiry.add(entry);
    if (userId === null) return;
    const sessions = this.#byUser.get(userId);
    if (sessions) sessions.add(entry);
    else this.#byUser.set(userId, new Set([entry]));
  }

  /** Undoes `#link`. */
  #unlink(entry: Entry): void {
    const { userId } = entry.record;
    this.#bytes -= entry.bytes;
    this.#recencyOf(entry).remove(entry);
    this.#byExpiry.remove(entry);
    if (userId === null) return;
    const sessions = this.#byUser.get(userId);
    sessions?.delete(entry);
    if (sessions?.size === 0) this.#byUser.delete(userId);
  }

  /** The tombstone of a login names no user any more, but says when that one was authenticated. */
  #recencyOf({ record }: Entry): Recency<Entry> {
    return record.userId === null && record.authenticatedAt === null ? this.#anonymous : this.#loggedIn;
  }

  /** UTF-8 bytes: never fewer than the text takes in memory, where a character has one byte or two. */
  #measure(record: SessionRecord): number {
    const bytes = Buffer.byteLength(record.data);
    if (bytes <= this.#maxBytes) return bytes;
    throw new MadeleineError(
      'ERR_DATA_TOO_LARGE',
      `One session of ${bytes} bytes is more than the memory store may hold (${this.#maxBytes}).`,
      'Put less into the session, or raise "maxBytes".',
    );
  }
}

function pairOf(entry: Entry): [key: string, record: SessionRecord] {
  return [entry.key, copyRecord(entry.record)];
}
