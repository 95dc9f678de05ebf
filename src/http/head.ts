/** What `writeHead` was given, in all the forms that Node takes. */
import { type OutgoingHttpHeader, type ServerResponse, validateHeaderName, validateHeaderValue } from 'node:http';
import { withLine } from '../cookie/headers.ts';
import type { SetCookie } from '../session/session-cookie.ts';
import type { LeavingHead } from './fields.ts';
import { streamOf } from './http2.ts';

/**
 * Takes over what `writeHead(status, message?, headers?)` was given, so that fields set by us and by others live together.
 *
 * @returns the fields that are still to be written; `null`: all of them have been set
 */
export function takeHead(
  response: ServerResponse,
  status: number,
  second: unknown,
  third: unknown,
): GivenFields | null {
  const given = third === undefined ? GivenFields.of(response, second) : null;
  if (given === null) setFields(response, second, third);
  response.statusCode = status;
  return given;
}

/** Set-Cookie lines are added where they are not there yet (`writeHead(200, response.getHeaders())`), other fields replace. */
function setFields(response: ServerResponse, second: unknown, third: unknown): void {
  const message = typeof second === 'string' ? second : undefined;
  const headers = message === undefined ? (second ?? third) : third;
  for (const [name, value] of fieldsOf(headers)) {
    if (value === undefined) continue;
    if (name.toLowerCase() === 'set-cookie') addSetCookies(response, [value].flat() as string[]);
    else response.setHeader(name, value);
  }
  if (message !== undefined) response.statusMessage = message;
}

/** More are set one by one: the search for repeated names below takes quadratic time. */
const MOST_FIELDS = 100;

/**
 * The fields that `writeHead(status, headers)` was given, where none were set before: Node writes such a head as it stands. Had we set
 * one, Node would set all of these, too, one by one: for Fastify, which gives them so, that costs more than all else that a session
 * does for a visitor without a cookie.
 */
export class GivenFields implements LeavingHead {
  readonly fields: Record<string, OutgoingHttpHeader>;

  private constructor(fields: Record<string, OutgoingHttpHeader>) {
    this.fields = fields;
  }

  /** @returns `null` where they have to be set one by one. @throws what Node would */
  static of(response: ServerResponse, headers: unknown): GivenFields | null {
    if (headers === null || typeof headers !== 'object' || Array.isArray(headers)) return null;
    // HTTP/2 sets them one by one in any case. A mock may have no such method.
    if (response.headersSent || streamOf(response) || response.getHeaderNames?.().length !== 0) return null;
    // Not by a spread: to what that makes, V8 adds a property in 2 µs (before Node 24).
    const fields = Object.assign({} as Record<string, OutgoingHttpHeader>, headers);
    const names = Object.keys(fields);
    if (names.length > MOST_FIELDS) return null;
    for (const name of names) {
      const value = fields[name];
      if (value === undefined || isSameName(name, 'Set-Cookie')) return null;
      // What Node would refuse is refused before the session is saved, as long as the handler can still answer otherwise.
      validateHeaderName(name);
      validateHeaderValue(name, value as string);
    }
    // Node lets the last count of a name that is there twice, in different cases.
    if (names.some((_, index) => standsBefore(names, index))) return null;
    return new GivenFields(fields);
  }

  names(): Iterable<string> {
    return Object.keys(this.fields);
  }

  field(name: string): string | null {
    const value = this.fields[this.#nameGiven(name)];
    return value === undefined ? null : String(value);
  }

  setField(name: string, value: string): void {
    this.fields[this.#nameGiven(name)] = value;
  }

  setCookie({ name, line }: SetCookie): readonly string[] {
    const lines = withLine(this.fields['Set-Cookie'], name, line);
    this.fields['Set-Cookie'] = lines;
    return [lines].flat();
  }

  /** Sets the fields on the response, as another head than this one is to leave. */
  putOn(response: ServerResponse): void {
    setFields(response, this.fields, undefined);
  }

  /** The name as it was given, in whatever case. */
  #nameGiven(name: string): string {
    return Object.keys(this.fields).find(given => isSameName(given, name)) ?? name;
  }
}

/** Writes the head that was taken over. */
export function writeTaken(
  response: ServerResponse,
  writeHead: (status?: unknown, headers?: unknown) => unknown,
  status: unknown,
  given: GivenFields | null,
): void {
  if (given === null) return void writeHead.call(response, status);
  try {
    writeHead.call(response, status, given.fields);
  } catch (error) {
    // The session's cookie goes along with whatever is answered instead.
    given.putOn(response);
    throw error;
  }
}

function standsBefore(names: readonly string[], index: number): boolean {
  for (let at = 0; at < index; at++) if (isSameName(names[at] as string, names[index] as string)) return true;
  return false;
}

function isSameName(one: string, other: string): boolean {
  return one.length === other.length && one.toLowerCase() === other.toLowerCase();
}

function addSetCookies(response: ServerResponse, lines: readonly string[]): void {
  const present = [response.getHeader('Set-Cookie')].flat();
  const missing = lines.filter(line => !present.includes(line));
  if (missing.length > 0) response.appendHeader('Set-Cookie', missing);
}

type Field = [name: string, value: OutgoingHttpHeader | undefined];

/** An object, a flat list of names and values, or a list of pairs: Node takes all three. */
function fieldsOf(headers: unknown): Field[] {
  if (headers === null || typeof headers !== 'object') return [];
  if (!Array.isArray(headers)) return Object.entries(headers) as Field[];
  const pairs: Field[] = Array.isArray(headers[0])
    ? (headers as Field[])
    : headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1]] as Field] : []));
  return joinRepeated(pairs);
}

/** A name may stand several times in a list: its values belong together. */
function joinRepeated(pairs: readonly Field[]): Field[] {
  const fields = new Map<string, Field>();
  for (const [name, value] of pairs) {
    const seen = fields.get(name.toLowerCase());
    if (!seen) fields.set(name.toLowerCase(), [name, value]);
    else seen[1] = [seen[1], value].flat().filter(one => one !== undefined) as string[];
  }
  return [...fields.values()];
}
