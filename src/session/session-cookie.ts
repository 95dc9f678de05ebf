/**
 * The session's cookie where the store keeps the session: what it says and what it carries. The value is
 * `1.<id>.<signature>`: a version, 256 random bits, and an HMAC-SHA-256 by a key derived for this use and this cookie name,
 * so that no other cookie's signature ever fits.
 */
import type { CookieAttributes } from '../cookie/attributes.ts';
import { cookieValues } from '../cookie/parse.ts';
import { clearCookie, serializeCookie } from '../cookie/serialize.ts';
import { createKeyring, type Secret } from '../crypto/keyring.ts';
import { createSigner, type Signer } from '../crypto/signature.ts';
import { sha256 } from '../crypto/token.ts';
import { createRecentlyUsed, type RecentlyUsed } from '../recently-used.ts';
import {
  type CookieVariant,
  createCookieVariants,
  keptFor,
  onlyGenuine,
  type SessionCookieOptions,
} from './cookie-variants.ts';
import type { EventHub } from './events.ts';

/** What a request's Cookie field says of the session. */
export interface PresentedId {
  readonly id: string;
  /** Where the store has it: the SHA-256 of the id. */
  readonly key: string;
  /** The cookie was made with an older key: it is to be set again. */
  readonly renew: boolean;
}

/** A Set-Cookie line, and the name of the cookie that it is for. */
export interface SetCookie {
  readonly name: string;
  readonly line: string;
}

/** How a session reaches the browser. */
export interface SessionCookie {
  readonly persistent: boolean;
  /** The cookie's name on a connection of this kind; `null` where no session cookie may be set. */
  name(secure: boolean): string | null;
  /** The Set-Cookie lines that give the session with this id, and with its key in the store; `lifetime` in milliseconds makes it persistent. */
  set(id: string, key: string, secure: boolean, lifetime: number | null): readonly SetCookie[];
  /** The Set-Cookie lines that remove it. */
  clear(secure: boolean): readonly SetCookie[];
  /** The attributes on a connection of this kind, for `req.session.cookie`. */
  attributes(secure: boolean): CookieAttributes;
}

interface IdCookie extends SessionCookie {
  /** The one id that was presented and verifies, or `null`. */
  read(header: string | undefined, facts: { readonly secure: boolean }): PresentedId | null;
}

interface IdVariant extends CookieVariant {
  readonly signer: Signer;
  /** Values that were made or verified lately. That a signature fits never changes, and checking it again takes nine times as long as finding it here. */
  readonly verified: RecentlyUsed<PresentedId>;
}

const VALUE = /^1\.([\w-]{43})\.([\w-]{43})$/;
const VALUE_LENGTH = 89;
const MOST_VERIFIED = 10_000;

/** @throws MadeleineError for a missing or (in production) short secret, a bad name, unknown or contradictory options */
export function createIdCookie(
  secret: Secret,
  name: string,
  options: SessionCookieOptions,
  events: EventHub,
): IdCookie {
  const keyring = createKeyring(secret);
  const { persistent, overHttps, pick } = createCookieVariants(name, options, fullName => ({
    signer: createSigner(keyring.derive(`session ${fullName}`)),
    verified: createRecentlyUsed<PresentedId>(MOST_VERIFIED),
  }));

  function verify(value: string, { signer, verified }: IdVariant): PresentedId | null {
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

  return {
    persistent,
    name: secure => pick(secure)?.name ?? null,
    read(header, facts) {
      // Without cookies there is nothing to ask the request: a new visitor costs nothing.
      if (!header) return null;
      const from = pick(facts.secure);
      if (from === null) return null;
      const values = cookieValues(header, from.name);
      if (values.length === 0) return null;
      if (values.length > 1) return onlyGenuine(values, value => verify(value, from), events);
      const found = verify(values[0] as string, from);
      if (!found) events.emit('forged', null, {});
      return found;
    },
    set(id, key, secure, lifetime) {
      const { name, attributes, attributeText, signer, verified } = pick(secure) as IdVariant;
      const value = `1.${id}.${signer.sign(id)}`;
      // It comes back with the next request, most likely.
      verified.set(value, { id, key, renew: false });
      if (lifetime === null) return [{ name, line: `${name}=${value}${attributeText}` }];
      return [{ name, line: serializeCookie(name, value, keptFor(lifetime, attributes)) }];
    },
    clear(secure) {
      const { name, attributes } = pick(secure) as IdVariant;
      return [{ name, line: clearCookie(name, attributes) }];
    },
    attributes: secure => (pick(secure) ?? overHttps).attributes,
  };
}
