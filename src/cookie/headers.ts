/** Reading the Cookie field of a request, and writing Set-Cookie into a response, whatever kind they are. */
import { MadeleineError } from '../errors.ts';
import type { Warn } from '../warnings.ts';

/** A Fetch `Headers`, as far as cookies go. */
export interface FetchHeaders {
  get(name: string): string | null;
  append(name: string, value: string): void;
  delete(name: string): void;
  getSetCookie(): string[];
}

/** Where cookies come from: a node:http or Express request, a Fetch `Request`, or its `Headers`. */
export type CookieSource = { headers: { cookie?: string | undefined } | FetchHeaders } | FetchHeaders;

/** A node:http or Express response, as far as cookies go. */
export interface NodeResponse {
  readonly headersSent: boolean;
  getHeader(name: string): number | string | string[] | undefined;
  setHeader(name: string, value: string | string[]): unknown;
}

/** Where cookies go: a node:http or Express response, a Fetch `Response`, or its `Headers`. */
export type CookieTarget = NodeResponse | { headers: FetchHeaders } | FetchHeaders;

/** The Cookie field. */
export function cookieField(source: CookieSource): string | undefined {
  const headers = source !== null && typeof source === 'object' && 'headers' in source ? source.headers : source;
  if (isFetchHeaders(headers)) return headers.get('cookie') ?? undefined;
  if (headers === null || typeof headers !== 'object') throw notGiven('a request to read from', 'read(request)');
  return headers.cookie;
}

/**
 * Adds a Set-Cookie line; an earlier one for the same name goes, all others stay (RFC 6265bis section 4.1.1). Answers with
 * all lines that the response has now.
 *
 * @throws MadeleineError `ERR_HEADERS_SENT` when the head of the response has left
 */
export function setCookieLine(target: CookieTarget, name: string, line: string): string[] {
  if (target === null || typeof target !== 'object') throw notAResponse();
  if ('setHeader' in target) {
    if (target.headersSent) throw headersSent();
    return replaceSetCookie(target, name, line);
  }
  const headers = 'headers' in target ? target.headers : target;
  // A `method`: this is a Request, and what is set on one reaches nobody.
  if (!isFetchHeaders(headers) || 'method' in target) throw notAResponse();
  const lines = withLine(headers.getSetCookie(), name, line) as string[];
  try {
    headers.delete('set-cookie');
  } catch (cause) {
    throw immutable(cause);
  }
  for (const one of lines) headers.append('set-cookie', one);
  return lines;
}

/** The same for a Node response whose head is known to be there still. */
export function replaceSetCookie(response: Omit<NodeResponse, 'headersSent'>, name: string, line: string): string[] {
  const lines = withLine(response.getHeader('Set-Cookie'), name, line);
  response.setHeader('Set-Cookie', lines);
  return [lines].flat();
}

/** The Set-Cookie lines with this one added, and others for the same name left out. Where there were none at all, a text and no list. */
export function withLine(
  present: number | string | string[] | undefined,
  name: string,
  line: string,
): string | string[] {
  if (present === undefined) return line;
  const others = [present]
    .flat()
    .map(String)
    .filter(other => !other.startsWith(`${name}=`));
  return [...others, line];
}

/** Servers and proxies refuse requests whose header fields are larger: many at 8 KiB, Node at 16 KiB (RFC 6265bis section 4.2.1 leaves it to them). */
const LARGEST_FIELD = 8192;
const COOKIES_LARGE =
  'One response sets more than 8 KiB of cookies. The browser will send all of them with every request, and many servers and ' +
  'proxies refuse so large a head. Keep the data in a session.';

/** @param lines all Set-Cookie lines of one response */
export function warnOfLargeCookies(lines: readonly string[], warn: Warn): void {
  const sentBack = lines.reduce((bytes, one) => bytes + one.indexOf(';') + '; '.length, 0);
  if (sentBack > LARGEST_FIELD) warn('MADELEINE_COOKIES_LARGE', COOKIES_LARGE);
}

function isFetchHeaders(headers: { cookie?: string | undefined } | FetchHeaders): headers is FetchHeaders {
  return typeof (headers as FetchHeaders | null)?.getSetCookie === 'function';
}

function notGiven(what: string, call: string): MadeleineError {
  return new MadeleineError('ERR_OPTION_INVALID', `A cookie was not given ${what}.`, `Call ${call}.`);
}

function notAResponse(): MadeleineError {
  return notGiven('a response to write to', 'write(response, value) or clear(response)');
}

function immutable(cause: unknown): MadeleineError {
  return new MadeleineError(
    'ERR_OPTION_INVALID',
    'A cookie was written to a Response whose headers cannot be changed, as Response.redirect() and fetch() give them.',
    'Write it to a copy: new Response(response.body, response).',
    { cause },
  );
}

function headersSent(): MadeleineError {
  return new MadeleineError(
    'ERR_HEADERS_SENT',
    'A cookie was written after the head of the response had left.',
    'Write cookies before the first byte: before send(), json(), redirect(), write() or end().',
  );
}
