import type { IncomingMessage } from 'node:http';
import { parseCookies } from '../cookie/parse.ts';
import { createKeyring, type Secret } from '../crypto/keyring.ts';
import { createExpressVerifier } from '../crypto/signature.ts';
import { MadeleineError } from '../errors.ts';
import { holderOf } from '../http/request-holder.ts';
import { giveProperties } from '../http/request-properties.ts';
import { isJson, type JsonValue } from '../json.ts';
import { checkOptions } from '../options.ts';
import { defineOwn } from '../session/data.ts';
import { addBeforehand } from './express-additions.ts';

/** Cookies by name, without a prototype. A value is text, or what a `j:` cookie holds (Express writes objects that way). */
export type CookieMap = Record<string, JsonValue | undefined>;

declare global {
  namespace Express {
    interface Request {
      /** The cookies that the browser sent, save those that are signed. */
      cookies: CookieMap;
      /** The signed cookies; `false` for one whose signature is wrong. */
      signedCookies: CookieMap;
      /** The key that `res.cookie(name, value, { signed: true })` signs with. */
      secret?: string | undefined;
    }
  }
}

/** What users of cookie-parser bring along. */
const HINTS = { decode: 'Remove it: values are percent-decoded, and what cannot be is left as it is.' };

/**
 * Reads the request's cookies: `req.cookies`, and with a secret `req.signedCookies`. Known as `cookieParser` too. Reads what
 * cookie-parser and Express signed, and the reverse.
 *
 * @param secret the key, or several: the first signs, all verify. In production at least 32 bytes each.
 * @param options there are none: an option of cookie-parser's is refused, and not silently ignored
 * @throws MadeleineError `ERR_SECRET_MISSING`, `ERR_SECRET_SHORT`, `ERR_SECRET_PLACEHOLDER`, `ERR_OPTION_UNKNOWN`
 */
export function cookies(
  secret?: Secret,
  options: Record<string, never> = {},
): (request: IncomingMessage, response: unknown, next: () => void) => void {
  checkOptions(options, [], 'cookies', HINTS);
  if (typeof secret === 'object' && Object.hasOwn(secret ?? {}, 'secret')) throw takesNoOptions();
  const keys = secret === undefined ? null : createKeyring(secret).secrets;
  const signing = keys && { secret: keys[0] as string, verify: createExpressVerifier(keys) };
  const equip = giveProperties(
    { cookies: property('cookies'), signedCookies: property('signedCookies'), secret: property('secret') },
    'cookies',
  );

  return (request, _response, next) => {
    addBeforehand(request);
    const holder = holderOf<Holder>(request);
    const present = holder[COOKIES];
    // Cookies that are there already stay, ours or another library's: unless ours had no secret, and this one has.
    const isFirst = present
      ? present.signing === null && signing !== null
      : !(request as { cookies?: unknown }).cookies;
    // Ours that are there may have been read in another copy of Express, whose requests have other prototypes.
    if (present || isFirst) equip(request);
    if (isFirst) holder[COOKIES] = new RequestCookies(request.headers.cookie, signing);
    next();
  };
}

/** As `session()` is written. */
function takesNoOptions(): MadeleineError {
  return new MadeleineError(
    'ERR_SECRET_MISSING',
    'cookies() was given options.',
    'Write cookies(secret), with the key as text, or with a list of them.',
  );
}

interface Signing {
  readonly secret: string;
  verify(signed: string): string | false;
}

/** The cookies of one request, which are parsed when a handler asks for them, and verified when it asks for signed ones. */
class RequestCookies {
  readonly signing: Signing | null;
  readonly #field: string | undefined;
  #sent: { plain: CookieMap; signed: Record<string, string> } | null = null;
  #verified: CookieMap | null = null;

  constructor(field: string | undefined, signing: Signing | null) {
    this.#field = field;
    this.signing = signing;
  }

  get secret(): string | undefined {
    return this.signing?.secret;
  }

  get cookies(): CookieMap {
    this.#sent ??= this.#parse();
    return this.#sent.plain;
  }

  get signedCookies(): CookieMap {
    this.#sent ??= this.#parse();
    this.#verified ??= this.#verify(this.#sent.signed);
    return this.#verified;
  }

  #parse(): { plain: CookieMap; signed: Record<string, string> } {
    const plain: CookieMap = parseCookies(this.#field);
    const signed: Record<string, string> = Object.create(null);
    for (const name of Object.keys(plain)) {
      const text = plain[name] as string;
      if (this.signing && text.startsWith('s:')) {
        signed[name] = text.slice(2);
        delete plain[name];
      } else plain[name] = parseJsonCookie(text);
    }
    return { plain, signed };
  }

  #verify(signed: Record<string, string>): CookieMap {
    const verified: CookieMap = Object.create(null);
    for (const name of Object.keys(signed)) {
      const value = this.signing?.verify(signed[name] as string);
      verified[name] = typeof value === 'string' ? parseJsonCookie(value) : false;
    }
    return verified;
  }
}

const COOKIES: unique symbol = Symbol('madeleine.cookies');
type Holder = { [COOKIES]?: RequestCookies };

/** A property that can be assigned to, as that of cookie-parser can. */
function property(name: 'cookies' | 'signedCookies' | 'secret'): PropertyDescriptor & ThisType<IncomingMessage> {
  return {
    configurable: true,
    enumerable: true,
    get() {
      return holderOf<Holder>(this)[COOKIES]?.[name];
    },
    set(value: unknown) {
      defineOwn(this, name, value);
    },
  };
}

/** Express writes `res.cookie(name, object)` as `j:` and JSON. Text that only looks like it, or is nested too deep to walk, stays text. */
function parseJsonCookie(text: string): JsonValue {
  if (!text.startsWith('j:')) return text;
  try {
    const value = JSON.parse(text.slice(2)) as JsonValue;
    return isJson(value) ? value : text;
  } catch {
    return text;
  }
}
