/** One cookie declared once: its name, type, purpose, lifetime and protection. */
import { type Clock, checkClock } from '../clock.ts';
import type { Secret } from '../crypto/keyring.ts';
import { toLifetime } from '../duration.ts';
import { MadeleineError } from '../errors.ts';
import { checkChoice, checkOptions } from '../options.ts';
import { createWarnings } from '../warnings.ts';
import { attributeText, type CookieAttributes, DECLARED_ATTRIBUTES, LONGEST_LIFETIME } from './attributes.ts';
import { type CookieSource, type CookieTarget, cookieField, setCookieLine, warnOfLargeCookies } from './headers.ts';
import { cookieValues } from './parse.ts';
import { createProtection, PROTECTIONS, type Protection } from './protection.ts';
import { clearCookie, encodedPairText, LARGEST_COOKIE, pairText } from './serialize.ts';
import type { StandardSchema } from './standard-schema.ts';
import { type CookieInput, type CookieOutput, type CookieType, fromText, toText } from './typed-text.ts';

/** What a cookie is for: `'necessary'` needs no consent. Nothing is refused here: `defineConsent` knows what a visitor agreed to. */
export type CookiePurpose = 'necessary' | 'preferences' | 'statistics' | 'marketing';

export interface CookieOptions<Type extends CookieType = CookieType> extends Omit<CookieAttributes, 'expires'> {
  /** Default `'text'`. A schema is asked on reading and on writing; it has to answer at once. */
  type?: Type | undefined;
  /** Default `'necessary'`. */
  purpose?: CookiePurpose | undefined;
  /**
   * `'plain'` (default): anybody can read and change it. `'signed'`: the client can read it, a change shows. `'sealed'`:
   * encrypted. Signed and sealed ones carry their name, purpose, age and lifetime inside, checked here whatever the browser does.
   */
  protection?: Protection | undefined;
  /** For signed and sealed cookies: the first key makes them, all are accepted. */
  secret?: Secret | undefined;
  /** Default `true`: browsers accept it on http://localhost too. */
  secure?: boolean | undefined;
  /** Default `true`. */
  httpOnly?: boolean | undefined;
  /** Tells the time; for tests. Default: the machine's clock. */
  clock?: Clock | undefined;
}

/** A declared cookie. */
export interface Cookie<Output, Input = Output> {
  readonly name: string;
  readonly purpose: CookiePurpose;
  /** The value that the request brought; `undefined` if there is none, or none that is genuine, young enough and of the type. Never throws. */
  read(from: CookieSource): Output | undefined;
  /** Sets it. @throws MadeleineError `ERR_HEADERS_SENT`, `ERR_COOKIE_VALUE`, `ERR_COOKIE_TOO_LARGE` */
  write(to: CookieTarget, value: Input): void;
  /** Makes the browser drop it. @throws MadeleineError `ERR_HEADERS_SENT` */
  clear(to: CookieTarget): void;
}

const OWN = ['type', 'purpose', 'protection', 'secret', 'clock'];
const KNOWN = [...OWN, ...DECLARED_ATTRIBUTES];
const PURPOSES: readonly CookiePurpose[] = ['necessary', 'preferences', 'statistics', 'marketing'];

/**
 * Declares a cookie, to be read from any request and written to any response.
 *
 * ```js
 * const theme = defineCookie('theme', { maxAge: '365d' });
 * theme.write(response, 'dark');
 * theme.read(request); // 'dark', or undefined
 * ```
 *
 * @throws MadeleineError for a name, an attribute or an option that cannot work, before any request
 */
export function defineCookie<const Type extends CookieType = 'text'>(
  name: string,
  options: CookieOptions<Type> = {},
): Cookie<CookieOutput<Type>, CookieInput<Type>> {
  const given = checkOptions(options, KNOWN, 'cookie');
  const { type = 'text', purpose = 'necessary', protection = 'plain', secret, clock, ...rest } = given;
  const attributes: CookieAttributes = { secure: true, httpOnly: true, ...rest };
  // What cannot be written shows now, not at a request.
  pairText(name, '');
  const after = attributeText(name, attributes);
  checkChoice('purpose', purpose, PURPOSES);
  checkChoice('protection', protection, PROTECTIONS);
  const schema = (type as Partial<StandardSchema> | null)?.['~standard'];
  if (typeof schema?.validate !== 'function') checkChoice('type', type, ['text', 'json'], ['a Standard Schema']);
  if (protection === 'plain' && secret !== undefined) {
    throw new MadeleineError(
      'ERR_OPTION_CONFLICT',
      `The cookie "${name}" has a secret and no protection.`,
      "Set protection to 'signed' or 'sealed'.",
    );
  }
  const lifetime = toLifetime(attributes.maxAge ?? LONGEST_LIFETIME, 'maxAge');
  const warn = createWarnings();
  const guard = createProtection(protection, secret, `${name} ${purpose}`, lifetime, checkClock(clock));

  return {
    name,
    purpose,
    read(from) {
      return readValues(from, name, type, guard.open).next().value as CookieOutput<Type> | undefined;
    },
    write(to, value) {
      const line = encodedPairText(name, guard.close(toText(value, type, name))) + after;
      warnOfLargeCookies(setCookieLine(to, name, line), warn);
    },
    clear(to) {
      setCookieLine(to, name, clearCookie(name, attributes));
    },
  };
}

/**
 * What the cookies of this name say, in the order in which they were sent, one when it is asked for; without those that cannot be read.
 *
 * @param open gives the text that was sent, or `null` where it is not genuine
 */
export function* readValues(
  from: CookieSource,
  name: string,
  type: CookieType,
  open: (sent: string) => string | null,
): Generator<unknown, undefined> {
  for (const sent of cookieValues(cookieField(from), name)) {
    if (sent.length > LARGEST_COOKIE) continue; // no browser sends it: nothing is decoded or verified for it
    const text = open(sent);
    const value = text === null ? undefined : fromText(text, type);
    if (value !== undefined) yield value;
  }
}
