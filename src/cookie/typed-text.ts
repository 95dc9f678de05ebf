/** A declared cookie's value as text, and back, by its type. */
import { MadeleineError } from '../errors.ts';
import { isJson, isWellFormed, type JsonValue, whyNotJson } from '../json.ts';
import { isThenable } from '../maybe-promise.ts';
import type { StandardSchema } from './standard-schema.ts';

/** Text (the default), any JSON value, or what a Standard Schema (zod, valibot, arktype …) accepts. */
export type CookieType = 'text' | 'json' | StandardSchema<never, unknown> | StandardSchema<unknown, unknown>;

/** What comes out of a cookie of this type. */
export type CookieOutput<Type> = Type extends 'json'
  ? JsonValue
  : Type extends StandardSchema<infer _Input, infer Output>
    ? Output
    : string;

/** What goes into it. */
export type CookieInput<Type> = Type extends 'json'
  ? JsonValue
  : Type extends StandardSchema<infer Input, infer _Output>
    ? Input
    : string;

/** The value; `undefined` for what is not of the type. */
export function fromText(text: string, type: CookieType): unknown {
  if (type === 'text') return text;
  try {
    const value: unknown = JSON.parse(text);
    if (type === 'json') return value;
    const result = type['~standard'].validate(value);
    return isLater(result) || result.issues ? undefined : result.value;
  } catch {
    return undefined;
  }
}

/**
 * @param name the cookie's, for the error
 * @throws MadeleineError `ERR_COOKIE_VALUE` for what would not be read back; it does not hold the value
 */
export function toText(value: unknown, type: CookieType, name: string): string {
  if (type === 'text') {
    if (typeof value !== 'string')
      throw badValue(name, 'is not text', "Call write(response, text), or declare the cookie with type: 'json'.");
    if (isWellFormed(value)) return value;
    throw badValue(name, 'holds half a surrogate pair', 'Use text.toWellFormed() where such text can occur.');
  }
  if (type === 'json' && (value === undefined || !isJson(value))) {
    const { path, why } = whyNotJson(value, 'value') ?? { path: 'value', why: 'there is none' };
    throw badValue(name, `is nothing that JSON can hold (${path}: ${why})`, 'Give plain values: a Date as text.');
  }
  const text = jsonOf(value, name);
  if (type !== 'json') checkSchema(text, type, name);
  return text;
}

function jsonOf(value: unknown, name: string): string {
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    cause = error;
  }
  if (text !== undefined) return text;
  throw badValue(name, 'is nothing that JSON can hold', 'Give a plain value, or clear the cookie.', cause);
}

/** Checks the value as it will be read, from its JSON text: where that changes it (a Date), it could be written and never be read. */
function checkSchema(text: string, type: Exclude<CookieType, string>, name: string): void {
  let result: ReturnType<(typeof type)['~standard']['validate']>;
  try {
    result = type['~standard'].validate(JSON.parse(text) as never);
  } catch (cause) {
    throw badValue(name, 'has a schema that threw', 'See the cause, which is what it threw.', cause);
  }
  if (isLater(result))
    throw badValue(name, 'has a schema that answers later', 'Use a schema without asynchronous checks.');
  if (!result.issues) return;
  throw badValue(
    name,
    `does not fit its schema (${result.issues.map(issue => issue.message).join('; ')})`,
    'Give a value that does, as JSON and back: a Date is text then.',
  );
}

/** Whether the schema gave a promise, which is of no use here; should it reject, that must not end the process. */
function isLater<Result>(result: Result | Promise<Result>): result is Promise<Result> {
  if (!isThenable(result)) return false;
  Promise.resolve(result).catch(() => {});
  return true;
}

function badValue(name: string, problem: string, remedy: string, cause?: unknown): MadeleineError {
  return new MadeleineError('ERR_COOKIE_VALUE', `The value of the cookie "${name}" ${problem}.`, remedy, { cause });
}
