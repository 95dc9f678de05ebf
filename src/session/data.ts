/**
 * Session data as text. Values come back as they went in: what JSON would silently change is refused where it would be
 * saved, with the path to it.
 */
import { MadeleineError } from '../errors.ts';
import { type Fault, faultOfValues, isJson, isJsonObject, type JsonObject, type JsonValue } from '../json.ts';

/** The data in a stored text, or `null` when it is not the JSON text of an object. Nothing in it reaches a prototype. */
export function parseData(text: string): JsonObject | null {
  try {
    const data: JsonValue = JSON.parse(text);
    return isJsonObject(data) ? data : null;
  } catch {
    return null;
  }
}

/**
 * The JSON text of the data; `unchanged` where it comes to the same.
 *
 * @throws MadeleineError `ERR_DATA_NOT_JSON` for a value that would not come back as it is, `ERR_DATA_TOO_LARGE` above
 * `limit` bytes
 */
export function stringifyData(data: object, unchanged: string, limit: number): string {
  let text: string;
  try {
    text = JSON.stringify(data);
  } catch (cause) {
    throw unfit(data, cause);
  }
  // Even if the text is the same: a Map becomes `{}`, whatever it holds.
  for (const key of Object.keys(data)) if (!isJson((data as JsonObject)[key])) throw unfit(data);
  return text === unchanged ? text : checkSize(text, limit);
}

/** @throws MadeleineError `ERR_DATA_TOO_LARGE` above `limit` bytes */
export function checkSize(text: string, limit: number): string {
  // A character takes 3 bytes at most: most texts need not be measured.
  if (text.length * 3 <= limit || Buffer.byteLength(text) <= limit) return text;
  throw new MadeleineError(
    'ERR_DATA_TOO_LARGE',
    `The session holds more than ${limit} bytes of data.`,
    'Keep large things in a database and their id in the session, or raise "maxDataSize".',
  );
}

/** Called only when something is wrong. */
function unfit(data: object, cause?: unknown): MadeleineError {
  let fault: Fault | null = null;
  try {
    fault = faultOfValues(data, 'session');
  } catch {
    // A getter that throws: that is the cause already.
  }
  const { path, why } = fault ?? { path: 'the session', why: 'JSON cannot hold it' };
  return new MadeleineError(
    'ERR_DATA_NOT_JSON',
    `${path} cannot be saved: ${why}.`,
    'Keep plain values: a Date as date.toISOString(), a Map or Set as an array, a BigInt or an ObjectId as text.',
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
      defineOwn(held, key, data[key]);
    }
  }
}

/** Gives an object a property like any other, whatever its prototype has under this name. */
export function defineOwn(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}
