/**
 * The session's cookie: its name, what it says and what it carries. The value is `1.<id>.<signature>`: a version, 256
 * random bits, and an HMAC-SHA-256 by a key derived for this use and this cookie name, so that no other cookie's
 * signature ever fits.
 */
import { cookieValues } from '../cookie/parse.ts';
import { type CookieAttributes, clearCookie, serializeCookie } from '../cookie/serialize.ts';
import { createKeyring, type Secret } from '../crypto/keyring.ts';
import { createSigner, type Signer } from '../crypto/signature.ts';
import { sha256 } from '../crypto/token.ts';
import { MadeleineError } from '../errors.ts';
import { checkOptions } from '../options.ts';
import { createRecentlyUsed, type RecentlyUsed } from '../recently-used.ts';
import type { EventHub } from './events.ts';

/** How the session's cookie is set. HttpOnly always; the id never leaves the cookie. */
export interface SessionCookieOptions {
  /** Default `'/'`. Another path costs the `__Host-` prefix. */
  path?: string;
  /** Default none: the cookie goes back to this host alone. A domain shares it with every subdomain and costs the `__Host-` prefix. */
  domain?: string;
  /** `'lax'` (default), `'strict'`, or `'none'` (only with `secure: true`), RFC 6265bis section 5.6.7. */
  sameSite?: 'lax' | 'strict' | 'none';
  /**
   * `'auto'` (default): Secure and prefixed where the request came over https (as the server's proxy setting tells), plain
   * otherwise. `true`: always Secure; over plain http no session cookie is set. `false`: never Secure.
   */
  secure?: 'auto' | boolean;
  /** A cookie of its own under each top-level site (CHIPS). Only with `secure: true`. Default `false`. */
  partitioned?: boolean;
  /** True keeps every session's cookie when the browser closes, for as long as the session lives. Default `false`: only a remembered login's. */
  persistent?: boolean;
}

const HINTS = {
  maxAge:
    'Say how long a session lives with "idle", "absolute" and "remember", and keep its cookie with "cookie.persistent".',
  expires:
    'Say how long a session lives with "idle", "absolute" and "remember", and keep its cookie with "cookie.persistent".',
  httpOnly: 'The session cookie is always HttpOnly.',
  signed: 'The session cookie is always signed.',
};
const KNOWN = ['path', 'domain', 'sameSite', 'secure', 'partitioned', 'persistent'];

/** What a request's Cookie field says of the session. */
export interface PresentedId {
  readonly id: string;
  /** Where the store has it: the SHA-256 of the id. */
  readonly key: string;
  /** The signature is by an older key: the cookie is to be set again. */
  readonly renew: boolean;
}

interface Variant {
  name: string;
  attributes: CookieAttributes;
  signer: Signer;
  /** Values that were verified lately. That a signature fits never changes, and checking it again costs 6 µs a request. */
  verified: RecentlyUsed<PresentedId>;
}

export interface SessionCookie {
  readonly persistent: boolean;
  /** The cookie's name on a connection of this kind; `null` where no session cookie may be set. */
  name(secure: boolean): string | null;
  /** The one id that was presented and verifies, or `null`. */
  read(header: string | undefined, facts: { readonly secure: boolean }): PresentedId | null;
  /** The Set-Cookie line that gives this id; `lifetime` in milliseconds makes it persistent. */
  line(id: string, secure: boolean, lifetime: number | null): string;
  /** The Set-Cookie line that removes the cookie. */
  clearLine(secure: boolean): string;
  /** The attributes on a connection of this kind, for `req.session.cookie`. */
  attributes(secure: boolean): CookieAttributes;
}

const VALUE = /^1\.([\w-]{43})\.([\w-]{43})$/;
const VALUE_LENGTH = 89;
const MOST_VERIFIED = 10_000;

/** @throws MadeleineError for a missing or (in production) short secret, a bad name, unknown or contradictory options */
export function createSessionCookie(
  secret: Secret,
  name: string,
  options: SessionCookieOptions,
  events: EventHub,
): SessionCookie {
  checkOptions(options, KNOWN, 'session cookie', HINTS);
  if (/^__(host|secure|http)-/i.test(name)) {
    throw new MadeleineError(
      'ERR_COOKIE_PREFIX',
      'Option "name" carries a prefix.',
      'Give the bare name: over https the prefix is added by itself.',
    );
  }
  const { persistent = false, secure: wanted = 'auto', path = '/', sameSite = 'lax', ...rest } = options;
  if (wanted !== true && (sameSite === 'none' || options.partitioned)) {
    throw new MadeleineError(
      'ERR_OPTION_CONFLICT',
      `A session cookie with ${sameSite === 'none' ? 'SameSite=None' : 'Partitioned'} must be Secure: browsers refuse it otherwise.`,
      'Set cookie.secure to true and serve over https.',
    );
  }
  const keyring = createKeyring(secret);
  const prefix = path === '/' && options.domain === undefined ? '__Host-' : '__Secure-';
  const variant = (secure: boolean): Variant => {
    const fullName = secure ? prefix + name : name;
    const attributes: CookieAttributes = { ...rest, path, sameSite, httpOnly: true, secure };
    serializeCookie(fullName, '', attributes); // a name or an attribute that cannot be written shows now, not at a request
    return {
      name: fullName,
      attributes,
      signer: createSigner(keyring.derive(`session ${fullName}`)),
      verified: createRecentlyUsed(MOST_VERIFIED),
    };
  };
  const overHttps = wanted === false ? variant(false) : variant(true);
  const overHttp = wanted === true ? null : variant(false);
  const pick = (secure: boolean): Variant | null => (secure ? overHttps : overHttp);

  function verify(value: string, { signer, verified }: Variant): PresentedId | null {
    // Length first: a hostile value costs neither a pattern match nor a MAC.
    if (value.length !== VALUE_LENGTH) return null;
    const before = verified.get(value);
    if (before) return before;
    const [, id, signature] = VALUE.exec(value) ?? [];
    if (id === undefined || signature === undefined) return null;
    const keyIndex = signer.verify(id, signature);
    if (keyIndex < 0) return null;
    const found = { id, key: sha256(id), renew: keyIndex > 0 };
    verified.set(value, found);
    return found;
  }

  /** Several cookies of one name mean that some other host may have planted one: two that verify are not chosen between. */
  function choose(values: readonly string[], from: Variant): PresentedId | null {
    const valid = [...new Set(values)].map(value => verify(value, from)).filter(found => found !== null);
    if (new Set(values).size > 1) events.emit('duplicate', () => ({ valid: valid.length }));
    return valid.length === 1 ? (valid[0] as PresentedId) : null;
  }

  return {
    persistent,
    name: secure => pick(secure)?.name ?? null,
    read(header, facts) {
      // Without cookies there is nothing to ask the request: a new visitor costs nothing.
      const from = header ? pick(facts.secure) : null;
      if (!header || !from) return null;
      const values = cookieValues(header, from.name);
      if (values.length === 0) return null;
      const found = values.length === 1 ? verify(values[0] as string, from) : choose(values, from);
      if (!found) events.emit('forged', () => ({}));
      return found;
    },
    line(id, secure, lifetime) {
      const { name, attributes, signer } = pick(secure) as Variant;
      const value = `1.${id}.${signer.sign(id)}`;
      return serializeCookie(name, value, lifetime === null ? attributes : { ...attributes, maxAge: lifetime });
    },
    clearLine(secure) {
      const { name, attributes } = pick(secure) as Variant;
      return clearCookie(name, attributes);
    },
    attributes: secure => (pick(secure) ?? overHttps).attributes,
  };
}
