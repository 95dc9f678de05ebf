/** What JSON can hold: whether a value comes back from it unchanged, and text from UTF-8. */

/** What JSON can hold. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  [key: string]: JsonValue;
}

/** Whether it is an object and no array. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is nested deeper is refused: a recursive walk of it, JSON's own included, could overflow the stack. */
export const DEEPEST = 500;

/**
 * Whether the value comes back from JSON as it is. `undefined` does as a property: it is left out, as if deleted.
 *
 * @param depth how deep it stands itself; given only where the value is a part of another
 */
export function isJson(value: unknown, depth = 1): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth > DEEPEST || !isPlain(value)) return false;
  if (Array.isArray(value)) {
    for (const element of value) if (element === undefined || !isJson(element, depth + 1)) return false;
    return true;
  }
  for (const key of Object.keys(value)) if (!isJson((value as JsonObject)[key], depth + 1)) return false;
  return true;
}

/** An array, or an object of no class, and not with a text of its own. */
function isPlain(value: object): boolean {
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return false;
  if (Array.isArray(value)) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** What does not come back from JSON, by its path, and why. */
export interface Fault {
  readonly path: string;
  readonly why: string;
}

/**
 * Why the value does not come back as it is, with the path to what is wrong first; `null` where `isJson` says that it does.
 *
 * @param above the objects that it stands in
 */
export function whyNotJson(value: unknown, path: string, above: object[] = []): Fault | null {
  if ((typeof value !== 'object' || value === null) && isJson(value)) return null;
  if (typeof value === 'number') return { path, why: `${value} would come back as null` };
  if (typeof value !== 'object' || value === null) return { path, why: `a ${typeof value} cannot be kept` };
  if (above.includes(value)) return { path, why: 'it stands in itself' };
  if (above.length >= DEEPEST) return { path, why: `it is nested more than ${DEEPEST} deep` };
  if (!isPlain(value)) {
    return { path, why: `a ${value.constructor?.name || 'special object'} would not come back as one` };
  }
  above.push(value);
  const found = Array.isArray(value) ? faultOfElements(value, path, above) : faultOfValues(value, path, above);
  above.pop();
  return found;
}

function faultOfElements(array: readonly unknown[], path: string, above: object[]): Fault | null {
  for (const [at, element] of array.entries()) {
    const place = `${path}[${at}]`;
    if (element === undefined) return { path: place, why: 'undefined in an array would come back as null' };
    const found = whyNotJson(element, place, above);
    if (found) return found;
  }
  return null;
}

/** The same for all that an object holds; the path goes on with its keys. */
export function faultOfValues(object: object, path: string, above: object[] = []): Fault | null {
  for (const key of Object.keys(object)) {
    const found = whyNotJson((object as JsonObject)[key], `${path}.${key}`, above);
    if (found) return found;
  }
  return null;
}

/** Whether bytes can carry the text: half a surrogate pair would come back as another character. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
