/** What session data looked like when it was read, to see at the response what a handler has changed. */
import { DEEPEST, type JsonObject } from '../json.ts';
import { endsOfValues, replaceValues } from './replace-values.ts';

/**
 * The data of a stored text as a flat list of `parts`. A simple value stands for itself; an object is OBJECT, each key and its value,
 * and END; an array is ARRAY, its length and its elements. To compare data with that takes a fifth of the time of making its text
 * again, and most requests only read. No part is an object, so the list fits every copy of the data.
 */
export interface Snapshot {
  readonly text: string;
  readonly parts: readonly unknown[];
  /** The keys of the data itself, and where in the parts the value of each stands. */
  readonly keys: readonly string[];
  readonly places: readonly number[];
  /** For each key the simple value that has replaced the one in the parts; `undefined`: none has. */
  readonly replaced: ReadonlyArray<Simple | undefined> | null;
  /** Where in the text each value ends; `null` until that is needed. */
  readonly ends: readonly number[] | null;
}

/** A value that is no object, and comes back from JSON as it is. */
type Simple = string | number | boolean | null;

const OBJECT = Symbol('an object');
const ARRAY = Symbol('an array');
const END = Symbol('the end of an object');
const NONE: readonly number[] = [];

/** `null` for data that is nested deeper than what can be saved. */
export function takeSnapshot(text: string, data: JsonObject): Snapshot | null {
  const parts: unknown[] = [];
  const keys: string[] = [];
  const places: number[] = [];
  for (const key in data) {
    const held = data[key];
    keys.push(key);
    places.push(parts.length);
    if (!isObject(held)) parts.push(held);
    else if (!layOut(held, parts, DEEPEST - 1)) return null;
  }
  return { text, parts, keys, places, replaced: null, ends: null };
}

/** @param deepest how deep the value may be nested; `false` if it is deeper */
function layOut(value: object, parts: unknown[], deepest: number): boolean {
  if (deepest < 0) return false;
  if (Array.isArray(value)) {
    parts.push(ARRAY, value.length);
    for (const element of value) {
      if (!isObject(element)) parts.push(element);
      else if (!layOut(element, parts, deepest - 1)) return false;
    }
    return true;
  }
  parts.push(OBJECT);
  for (const key in value) {
    const held = (value as JsonObject)[key];
    parts.push(key);
    if (!isObject(held)) parts.push(held);
    else if (!layOut(held, parts, deepest - 1)) return false;
  }
  parts.push(END);
  return true;
}

/**
 * The indexes of the keys whose values are not those of the snapshot, though their JSON text may still be the same. `null` where the
 * keys are others, or in another order.
 */
export function changedKeys(snapshot: Snapshot, data: object): readonly number[] | null {
  const { keys } = snapshot;
  let changed: number[] | null = null;
  let seen = 0;
  for (const key in data) {
    if (keys[seen] !== key) return null;
    if (!isSame((data as JsonObject)[key], snapshot, seen)) {
      changed ??= [];
      changed.push(seen);
    }
    seen++;
  }
  return seen === keys.length ? (changed ?? NONE) : null;
}

function isSame(value: unknown, { parts, places, replaced }: Snapshot, index: number): boolean {
  const replacement = replaced === null ? undefined : replaced[index];
  if (replacement !== undefined) return replacement === value;
  const place = places[index] as number;
  return isObject(value) ? compare(value, parts, place) >= 0 : parts[place] === value;
}

/**
 * The snapshot of the data, text included, after the values of these keys have changed; the rest of the data is not looked at.
 *
 * @returns `null` where that does not do: one of the new values is not simple, or the text is not as `JSON.stringify` writes it
 */
export function changeSnapshot(before: Snapshot, data: object, changed: readonly number[]): Snapshot | null {
  const { parts, keys, places } = before;
  const replaced = before.replaced?.slice() ?? new Array<Simple | undefined>(keys.length).fill(undefined);
  const valueTexts: string[] = [];
  for (const index of changed) {
    const value = (data as JsonObject)[keys[index] as string];
    if (!isSimple(value)) return null;
    const valueText = JSON.stringify(value);
    // Not the handler's own text: that may be a part of a request's body, and keep the whole of it in memory.
    replaced[index] = typeof value === 'string' ? JSON.parse(valueText) : value;
    valueTexts.push(valueText);
  }
  // Only now: to look for the ends takes a walk over the whole text.
  const endsBefore = before.ends ?? endsOfValues(before.text, keys);
  if (endsBefore === null) return null;
  const { text, ends } = replaceValues(before.text, keys, endsBefore, changed, valueTexts);
  return { text, parts, keys, places, replaced, ends };
}

/** Puts what has been replaced since into a copy of the data as it was parsed. */
export function renew(copy: JsonObject, { keys, replaced }: Snapshot): void {
  if (replaced === null) return;
  for (let index = 0; index < replaced.length; index++) {
    const value = replaced[index];
    if (value !== undefined) copy[keys[index] as string] = value;
  }
}

/** Compares the value with the parts from this place on. Answers with the place after it, or -1 where they differ. */
function compare(value: object, parts: readonly unknown[], from: number): number {
  const prototype = Object.getPrototypeOf(value);
  const kind = parts[from];
  let at = from + 1;
  if (kind === ARRAY && prototype === Array.prototype) {
    const elements = value as readonly unknown[];
    if (parts[at++] !== elements.length) return -1;
    for (const element of elements) {
      if (isObject(element)) at = compare(element, parts, at);
      else if (parts[at++] !== element) return -1;
      if (at < 0) return -1;
    }
    return at;
  }
  // Only what is plain: a Date or a Map has no keys either, and is not `{}`.
  if (kind !== OBJECT || prototype !== Object.prototype) return -1;
  for (const key in value) {
    if (parts[at++] !== key) return -1;
    const held = (value as JsonObject)[key];
    if (isObject(held)) at = compare(held, parts, at);
    else if (parts[at++] !== held) return -1;
    if (at < 0) return -1;
  }
  return parts[at] === END ? at + 1 : -1;
}

/** -0 would come back as 0. */
function isSimple(value: unknown): value is Simple {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}

/** An object or an array. */
export function isObject<Value>(value: Value): value is Value & object {
  return typeof value === 'object' && value !== null;
}
