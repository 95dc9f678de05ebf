/** The session cookie's two forms, over https and over plain http: the same whether it carries an id or the session itself. */
import { attributeText, type CookieAttributes } from '../cookie/attributes.ts';
import { pairText } from '../cookie/serialize.ts';
import { MadeleineError } from '../errors.ts';
import { checkChoice, checkOptions, invalidOption } from '../options.ts';
import type { EventHub } from './events.ts';

/** How the session's cookie is set. HttpOnly always; the id never leaves the cookie. */
export interface SessionCookieOptions {
  /** Default `'/'`. Another path costs the `__Host-` prefix. */
  path?: string | undefined;
  /** Default none: the cookie goes back to this host alone. A domain shares it with every subdomain and costs the `__Host-` prefix. */
  domain?: string | undefined;
  /** `'lax'` (default), `'strict'`, or `'none'` (only with `secure: true`), RFC 6265bis section 5.6.7. */
  sameSite?: 'lax' | 'strict' | 'none' | undefined;
  /**
   * `'auto'` (default): Secure and prefixed where the request came over https (as the server's proxy setting tells), plain
   * otherwise. `true`: always Secure; over plain http no session cookie is set. `false`: never Secure.
   */
  secure?: 'auto' | boolean | undefined;
  /** A cookie of its own under each top-level site (CHIPS). Only with `secure: true`. Default `false`. */
  partitioned?: boolean | undefined;
  /** True keeps every session's cookie when the browser closes, for as long as the session lives. Default `false`: only a remembered login's. */
  persistent?: boolean | undefined;
}

const LIFETIME =
  'Say how long a session lives with "idle", "absolute" and "remember", and keep its cookie with "cookie.persistent".';
const HINTS = {
  maxAge: LIFETIME,
  expires: LIFETIME,
  httpOnly: 'The session cookie is always HttpOnly.',
  signed: 'The session cookie is always signed.',
};
const KNOWN = ['path', 'domain', 'sameSite', 'secure', 'partitioned', 'persistent'];

/** The cookie as it is on one kind of connection. */
export interface CookieVariant {
  readonly name: string;
  readonly attributes: CookieAttributes;
  /** The same as they stand in a Set-Cookie line: what a session's length does not change is written once. */
  readonly attributeText: string;
}

export interface CookieVariants<Variant extends CookieVariant> {
  readonly persistent: boolean;
  readonly overHttps: Variant;
  /** The form for a connection of this kind; `null` where no session cookie may be set. */
  pick(secure: boolean): Variant | null;
}

/**
 * @param complete adds what reads and writes the values of the cookie with this full name
 * @throws MadeleineError for a bad name, unknown or contradictory options
 */
export function createCookieVariants<More extends object>(
  name: string,
  options: SessionCookieOptions,
  complete: (fullName: string) => More,
): CookieVariants<CookieVariant & More> {
  if (typeof options === 'function')
    throw invalidOption(
      'cookie',
      'is a function',
      "Give one object for all requests: secure: 'auto' follows each of them.",
    );
  const given = checkOptions(options, KNOWN, 'session cookie', HINTS);
  if (/^__(host|secure|http)-/i.test(name)) {
    throw new MadeleineError(
      'ERR_COOKIE_PREFIX',
      'Option "name" carries a prefix.',
      'Give the bare name: over https the prefix is added by itself.',
    );
  }
  const { persistent = false, secure: wanted = 'auto', path = '/', sameSite = 'lax', ...rest } = given;
  checkChoice('cookie.secure', wanted, ['auto', true, false]);
  checkChoice('cookie.persistent', persistent, [true, false]);
  if (wanted !== true && (sameSite === 'none' || rest.partitioned)) {
    throw new MadeleineError(
      'ERR_OPTION_CONFLICT',
      `A session cookie with ${sameSite === 'none' ? 'SameSite=None' : 'Partitioned'} must be Secure: browsers refuse it otherwise.`,
      'Set cookie.secure to true and serve over https.',
    );
  }
  const prefix = path === '/' && rest.domain === undefined ? '__Host-' : '__Secure-';
  const variant = (secure: boolean): CookieVariant & More => {
    const fullName = secure ? prefix + name : name;
    const attributes: CookieAttributes = { ...rest, path, sameSite, httpOnly: true, secure };
    // A name or an attribute that cannot be written shows now, not at a request.
    pairText(fullName, '');
    return { name: fullName, attributes, attributeText: attributeText(fullName, attributes), ...complete(fullName) };
  };
  const overHttps = wanted === false ? variant(false) : variant(true);
  const overHttp = wanted === true ? null : variant(false);
  return { persistent, overHttps, pick: secure => (secure ? overHttps : overHttp) };
}

/** The attributes of a cookie that the browser keeps for so many milliseconds. */
export function keptFor(lifetime: number, attributes: CookieAttributes): CookieAttributes {
  // In this order: before Node 24, V8 takes 2 µs to add a property to what a spread makes.
  return { maxAge: lifetime, ...attributes };
}

/**
 * The one value that verifies. Several cookies of one name mean that some other host may have planted one: two that verify
 * are not chosen between.
 */
export function onlyGenuine<Found>(
  values: readonly string[],
  verify: (value: string) => Found | null,
  events: EventHub,
): Found | null {
  const different = [...new Set(values)];
  const valid = different.map(verify).filter(found => found !== null);
  if (different.length > 1) events.emit('duplicate', null, { valid: valid.length });
  if (valid.length === 0) events.emit('forged', null, {});
  return valid.length === 1 ? (valid[0] as Found) : null;
}
