/**
 * Session data as text. Values come back as they went in: what JSON would silently change is refused where it would be
 * saved, with the path to it.
 */
import { MadeleineError } from '../errors.ts';
import type { JsonObject } from '../json.ts';

/** The data in a stored text, or `null` when it is not the JSON text of an object. Nothing in it reaches a prototype. */
export function parseData(text: string): JsonObject | null {
  try {
    const data = JSON.parse(text);
    return data !== null && typeof data === 'object' && !Array.isArray(data) ? data : null;
  } catch {
    return null;
  }
}

/**
 * The JSON text of data that differs from `unchanged`; the same text when nothing differs.
 *
 * @throws MadeleineError `ERR_DATA_NOT_JSON` for a value that would not come back as it is, `ERR_DATA_TOO_LARGE` above
 * `limit` bytes
 */
export function stringifyData(data: object, unchanged: string, limit: number): string {
  let text: string;
  try {
    text = JSON.stringify(data);
  } catch (cause) {
    throw notJson('the session', 'JSON cannot hold it', cause);
  }
  if (text === unchanged) return text;
  // Only what changed is walked: text that is as it was stored holds nothing that JSON cannot.
  checkJson(data, 'session', 0);
  if (Buffer.byteLength(text) > limit) {
    throw new MadeleineError(
      'ERR_DATA_TOO_LARGE',
      `The session holds more than ${limit} bytes of data.`,
      'Keep large things in a database and their id in the session, or raise "maxDataSize".',
    );
  }
  return text;
}

const DEEPEST = 500;

function checkJson(value: unknown, path: string, depth: number): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return;
    case 'undefined':
      // Fine as a property (it is left out, as if deleted); not as an array's element, where JSON makes it null.
      if (path.endsWith(']')) throw notJson(path, 'undefined in an array would come back as null');
      return;
    case 'number':
      if (!Number.isFinite(value)) throw notJson(path, `${value} would come back as null`);
      return;
    case 'object':
      break;
    default:
      throw notJson(path, `a ${typeof value} cannot be kept`);
  }
  if (value === null) return;
  if (depth > DEEPEST) throw notJson(path, `it is nested more than ${DEEPEST} deep`);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) checkJson(value[i], `${path}[${i}]`, depth + 1);
    return;
  }
  if (depth > 0 && !isPlain(value)) {
    throw notJson(path, `a ${value.constructor?.name || 'special object'} would not come back as one`);
  }
  for (const key of Object.keys(value)) checkJson((value as JsonObject)[key], `${path}.${key}`, depth + 1);
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  const plain = prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
  return plain && typeof (value as { toJSON?: unknown }).toJSON !== 'function';
}

function notJson(path: string, why: string, cause?: unknown): MadeleineError {
  return new MadeleineError(
    'ERR_DATA_NOT_JSON',
    `${path} cannot be saved: ${why}.`,
    'Keep plain values: a Date as date.toISOString(), a Map or Set as an array, a BigInt as text.',
    { cause },
  );
}

/** Makes `target` hold what `data` holds, in place; values that are the same already stay the very same objects. */
export function refreshData(target: object, data: JsonObject): void {
  const held = target as JsonObject;
  for (const key of Object.keys(held)) if (!Object.hasOwn(data, key)) delete held[key];
  for (const key of Object.keys(data)) {
    if (key === '__proto__') continue;
    if (!Object.hasOwn(held, key) || JSON.stringify(held[key]) !== JSON.stringify(data[key])) {
      Object.defineProperty(held, key, { value: data[key], writable: true, enumerable: true, configurable: true });
    }
  }
}
