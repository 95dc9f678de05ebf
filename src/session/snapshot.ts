/** What session data looked like when it was read, to see at the response what a handler has changed. */
import type { JsonObject } from '../json.ts';

/**
 * The data of a stored text, laid out flat: each key with its value; where a value is an object, what it holds follows, its keys
 * with their values, and that it ends; of an array its length and its elements. To compare with that takes a fifth of what it
 * would take to make the text again, and most requests only read. What is compared is identity, so nothing is copied.
 */
export interface Snapshot {
  readonly text: string;
  readonly parts: readonly unknown[];
  /** Where in the parts each key of the data itself stands. */
  readonly places: readonly number[];
}

const END = Symbol('the end of an object');
const NONE: readonly string[] = [];

/** @param deepest how deep the data may be nested; `null` if it is deeper */
export function takeSnapshot(text: string, data: JsonObject, deepest: number): Snapshot | null {
  const parts: unknown[] = [];
  const places: number[] = [];
  for (const key in data) {
    const held = data[key];
    places.push(parts.length);
    parts.push(key, held);
    if (isObject(held) && !layOut(held, parts, deepest - 1)) return null;
  }
  return { text, parts, places };
}

function layOut(value: object, parts: unknown[], deepest: number): boolean {
  if (deepest < 0) return false;
  if (Array.isArray(value)) {
    parts.push(value.length);
    for (const element of value) {
      parts.push(element);
      if (isObject(element) && !layOut(element, parts, deepest - 1)) return false;
    }
    return true;
  }
  for (const key in value) {
    const held = (value as JsonObject)[key];
    parts.push(key, held);
    if (isObject(held) && !layOut(held, parts, deepest - 1)) return false;
  }
  parts.push(END);
  return true;
}

/**
 * The keys whose values are no longer, one by one, what was laid out; they may still make the same text.
 * `null` where the keys themselves are others, or in another order.
 */
export function changedKeys({ parts, places }: Snapshot, data: object): readonly string[] | null {
  let changed: string[] | null = null;
  let seen = 0;
  for (const key in data) {
    const place = places[seen++];
    if (place === undefined || parts[place] !== key) return null;
    const held = (data as JsonObject)[key];
    const same = parts[place + 1] === held && (!isObject(held) || compare(held, parts, place + 2) >= 0);
    if (same) continue;
    changed ??= [];
    changed.push(key);
  }
  return seen === places.length ? (changed ?? NONE) : null;
}

/** How far the parts, from this place on, are what the value holds; -1 where they are not. */
function compare(value: object, parts: readonly unknown[], from: number): number {
  let at = from;
  if (Array.isArray(value)) {
    if (parts[at++] !== value.length) return -1;
    for (const element of value) {
      if (parts[at++] !== element) return -1;
      if (isObject(element)) at = compare(element, parts, at);
      if (at < 0) return -1;
    }
    return at;
  }
  for (const key in value) {
    const held = (value as JsonObject)[key];
    if (parts[at++] !== key || parts[at++] !== held) return -1;
    if (isObject(held)) at = compare(held, parts, at);
    if (at < 0) return -1;
  }
  return parts[at] === END ? at + 1 : -1;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
