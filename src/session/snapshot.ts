/** What session data looked like when it was read, to see at the response whether a handler has changed anything. */
import type { JsonObject } from '../json.ts';

/**
 * The data of a stored text, laid out flat: of each object its keys with their values, and that it ends; of each array its
 * length and its elements; where a value is an object, what it holds follows. To compare with that takes a fifth of what it
 * would take to make the text again, and most requests only read. What is compared is identity, so nothing is copied.
 */
export interface Snapshot {
  readonly text: string;
  readonly parts: readonly unknown[];
}

const END = Symbol('the end of an object');

/** @param deepest how deep the data may be nested; `null` if it is deeper */
export function takeSnapshot(text: string, data: JsonObject, deepest: number): Snapshot | null {
  const parts: unknown[] = [];
  return layOut(data, parts, deepest) ? { text, parts } : null;
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

/** Whether `data` holds, one by one, what was laid out. If not it may still make the same text. */
export function isAsIn({ parts }: Snapshot, data: object): boolean {
  return compare(data, parts, 0) === parts.length;
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
