/**
 * What the data of sessions was when it was parsed lately. A page asks for a dozen things at once, each with the same session: to copy
 * its data takes a sixth of the time of parsing the text again, and to see whether the text is the same, next to nothing.
 */
import { DEEPEST, type JsonObject, type JsonValue } from '../json.ts';
import { createRecentlyUsed, type RecentlyUsed } from '../recently-used.ts';
import { parseData } from './data.ts';
import { isObject, renew, type Snapshot, takeSnapshot } from './snapshot.ts';

/** Data as it was parsed, and what it looked like then; or, by `snapshot.replaced`, what it looks like since. */
export interface Parsed {
  readonly data: JsonObject;
  readonly snapshot: Snapshot;
}

/** The most that is kept, by `weightOf`, and at most twice as much: in memory a unit takes some four bytes. */
const MOST_WEIGHT = 1024 * 1024;
/** What an entry weighs beside its data. */
const ENTRY_WEIGHT = 100;

interface Seen {
  version: number;
  /** Handed to nobody, as it must stay what the text says. `null` at first: what nobody asks for again would only burden the garbage collector. */
  parsed: Parsed | null;
  /** As much as the data counts, kept or not: of who comes back so seldom that it would be gone by then, it is not worth keeping. */
  readonly weight: number;
}

export class ParsedLately {
  readonly #maxDataSize: number;
  readonly #seen: RecentlyUsed<Seen> = createRecentlyUsed<Seen>(MOST_WEIGHT, ({ weight }) => weight);

  constructor(maxDataSize: number) {
    this.#maxDataSize = maxDataSize;
  }

  /**
   * The data in the text that a store gave back under this key, as this version, for the caller to change. Anybody may have written
   * there: `null` where it is not the text of an object, or is larger or deeper than what can be saved.
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
    // Read anew meanwhile, it is no longer laid out as it was.
    if (parsed !== null && parsed.snapshot.parts !== snapshot.parts) return;
    this.#remember(key, before, version, snapshot, parsed && { data: parsed.data, snapshot });
  }

  #remember(key: string, before: Seen | undefined, version: number, snapshot: Snapshot, parsed: Parsed | null): void {
    const weight = weightOf(snapshot);
    if (before === undefined || before.weight < weight) {
      this.#seen.set(key, { version, parsed, weight: weight + ENTRY_WEIGHT });
      return;
    }
    // In place: of an entry that was replaced, the one from before would be kept as well until the older half is dropped.
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
  const snapshot = data && takeSnapshot(text, data, DEEPEST);
  return data && snapshot && { data, snapshot };
}

function copyOf({ data, snapshot }: Parsed): Parsed {
  const copy = copyObject(data);
  renew(copy, snapshot);
  return { data: copy, snapshot };
}

function copyObject(object: JsonObject): JsonObject {
  const copy = { ...object };
  // Not by Object.keys(), with which it takes half as long again. The price is to leave out what a polluted prototype has.
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
