/**
 * Remembers session data that was parsed lately. A page makes a dozen requests at once, each with the same session: to see that its
 * text is the same costs next to nothing, and to copy the data takes a sixth of the time of parsing the text again.
 */
import type { JsonObject, JsonValue } from '../json.ts';
import { createRecentlyUsed, type RecentlyUsed } from '../recently-used.ts';
import { parseData } from './data.ts';
import { isObject, renew, type Snapshot, takeSnapshot } from './snapshot.ts';

/** Data as it was parsed, and its snapshot, whose `replaced` may hold what has changed since: `renew` puts that into a copy. */
interface Parsed {
  readonly data: JsonObject;
  readonly snapshot: Snapshot;
}

/** How much is kept, in the units of `weightOf`, and at most twice as much (see `createRecentlyUsed`). A unit takes some four bytes. */
const MOST_WEIGHT = 1024 * 1024;
/** What an entry weighs beside its data. */
const ENTRY_WEIGHT = 100;

interface Seen {
  version: number;
  /** Only copies are handed out. `null` until this version is read again: most never are, and would only burden the garbage collector. */
  parsed: Parsed | null;
  /** What the data weighs, even while it is not kept: so a session that comes back too seldom to profit is forgotten before it does. */
  readonly weight: number;
}

export class ParsedLately {
  readonly #maxDataSize: number;
  readonly #seen: RecentlyUsed<Seen> = createRecentlyUsed<Seen>(MOST_WEIGHT, ({ weight }) => weight);

  constructor(maxDataSize: number) {
    this.#maxDataSize = maxDataSize;
  }

  /**
   * The data in this text, which a store gave back under this key, in this version. It is the caller's, to be changed. `null` where the
   * text is not that of an object, or larger or deeper than could be saved: other programs may write to the store.
   */
  read(key: string, text: string, version: number): Parsed | null {
    const before = this.#seen.get(key);
    const kept = before?.parsed ?? null;
    if (kept !== null && kept.snapshot.text === text) return copyOf(kept);
    const parsed = text.length > this.#maxDataSize ? null : parse(text);
    if (parsed === null) return null;
    const again = before?.version === version;
    this.#remember(key, before, version, parsed.snapshot, again ? parsed : null);
    return again ? copyOf(parsed) : parsed;
  }

  /** The session is stored as this version now, and holds what the snapshot says. */
  follow(key: string, version: number, snapshot: Snapshot): void {
    const before = this.#seen.get(key);
    if (before === undefined) return;
    const { parsed } = before;
    // Another text was parsed meanwhile: the snapshot is not one of that data.
    if (parsed !== null && parsed.snapshot.parts !== snapshot.parts) return;
    this.#remember(key, before, version, snapshot, parsed && { data: parsed.data, snapshot });
  }

  #remember(key: string, before: Seen | undefined, version: number, snapshot: Snapshot, parsed: Parsed | null): void {
    const weight = weightOf(snapshot);
    if (before === undefined || before.weight < weight) {
      this.#seen.set(key, { version, parsed, weight: weight + ENTRY_WEIGHT });
      return;
    }
    // Changed in place: a new entry would leave the one before in memory, until the older half is dropped.
    before.version = version;
    before.parsed = parsed;
  }
}

/** Many small values take more than one long text. */
function weightOf({ text, parts }: Snapshot): number {
  return text.length + 8 * parts.length;
}

function parse(text: string): Parsed | null {
  const data = parseData(text);
  const snapshot = data && takeSnapshot(text, data);
  return data && snapshot && { data, snapshot };
}

function copyOf({ data, snapshot }: Parsed): Parsed {
  const copy = copyObject(data);
  renew(copy, snapshot);
  return { data: copy, snapshot };
}

function copyObject(object: JsonObject): JsonObject {
  const copy = { ...object };
  // Object.keys() would take half as long again. The price is a check for what a polluted prototype brings along.
  for (const key in copy) {
    const held = copy[key];
    if (isObject(held) && Object.hasOwn(copy, key)) copy[key] = copyOfEither(held);
  }
  return copy;
}

function copyOfEither(value: JsonValue[] | JsonObject): JsonValue {
  if (!Array.isArray(value)) return copyObject(value);
  const copy = value.slice();
  for (let index = 0; index < copy.length; index++) {
    const element = copy[index];
    if (isObject(element)) copy[index] = copyOfEither(element);
  }
  return copy;
}
