/** What a visitor has agreed to: an answer for each purpose that the application's cookies have, kept in a cookie of its own. */
import { MadeleineError } from '../errors.ts';
import type { JsonValue } from '../json.ts';
import { checkOptions, checkPositive } from '../options.ts';
import { DECLARED_ATTRIBUTES } from './attributes.ts';
import { type Cookie, type CookieOptions, type CookiePurpose, defineCookie, readValues } from './define.ts';
import type { CookieSource, CookieTarget } from './headers.ts';
import { decodeValue } from './parse.ts';

/** A purpose that needs consent. */
export type ConsentPurpose = Exclude<CookiePurpose, 'necessary'>;

export interface ConsentOptions extends Omit<CookieOptions<'json'>, 'type' | 'purpose' | 'protection' | 'secret'> {
  /** The name of the cookie that keeps the answer. Default `'consent'`. */
  name?: string | undefined;
  /** Raise it when you change what you ask: earlier answers count no more. Default 1. */
  version?: number | undefined;
}

/** A declared cookie, as far as consent is concerned. */
export type ConsentCookie = Pick<Cookie<unknown>, 'name' | 'purpose' | 'clear'>;

export interface Consent {
  /** What to ask for: the purposes of the cookies, each once. */
  readonly purposes: readonly ConsentPurpose[];
  /** What the visitor agreed to; `undefined`: they have not been asked yet, or not for all that is asked now. Never throws. */
  read(from: CookieSource): readonly ConsentPurpose[] | undefined;
  /** Whether this cookie may be set. What is necessary always may; nothing else may before the visitor has answered. */
  allows(from: CookieSource, cookie: Pick<ConsentCookie, 'purpose'>): boolean;
  /**
   * Keeps the answer, and makes the browser drop those of the cookies that it does not cover. `[]` refuses or withdraws
   * everything.
   *
   * @throws MadeleineError `ERR_COOKIE_VALUE` for a purpose that was not asked for; `ERR_HEADERS_SENT`
   */
  write(to: CookieTarget, agreed: readonly ConsentPurpose[]): void;
}

const KNOWN = ['name', 'version', 'clock', ...DECLARED_ATTRIBUTES];

/**
 * Declares for which cookies visitors are asked. Their answer is kept for `maxAge`, by default 180 days (six months is what CNIL,
 * the French authority for data protection, recommends), and read by the server alone.
 *
 * ```js
 * const consent = defineConsent([theme, visitor]);
 * if (consent.allows(req, visitor)) visitor.write(res, id);
 * ```
 *
 * @param cookies declared cookies, of which those with another purpose than `'necessary'` count
 * @throws MadeleineError for wrong options
 */
export function defineConsent(cookies: readonly ConsentCookie[], options: ConsentOptions = {}): Consent {
  const { name = 'consent', version = 1, ...attributes } = checkOptions(options, KNOWN, 'consent');
  checkPositive('version', version, 'Begin with 1, and count up.');
  if (!Array.isArray(cookies) || !cookies.every(isCookie)) throw noCookies();
  const optional = cookies.filter(({ purpose }) => purpose !== 'necessary');
  const purposes = [...new Set(optional.map(({ purpose }) => purpose as ConsentPurpose))];
  const kept = defineCookie(name, { maxAge: '180d', ...attributes, type: 'json' });

  // Of JSON, nothing but an object has these properties.
  const isCurrent = (answer: Answer | null): answer is Answer =>
    answer?.['version'] === version && purposes.every(purpose => typeof answer[purpose] === 'boolean');

  function read(from: CookieSource): readonly ConsentPurpose[] | undefined {
    // Of several, a neighbouring host may have planted one: what any of them refuses stays refused.
    const sent = [...readValues(from, name, 'json', decodeValue)] as Array<Answer | null>;
    const answers = sent.filter(isCurrent);
    if (answers.length === 0) return undefined;
    return purposes.filter(purpose => answers.every(answer => answer[purpose] === true));
  }

  return {
    purposes,
    read,
    allows: (from, { purpose }) => purpose === 'necessary' || (read(from)?.includes(purpose) ?? false),
    write(to, agreed) {
      if (!Array.isArray(agreed) || !agreed.every(purpose => purposes.includes(purpose)))
        throw notAsked(name, purposes);
      const answers = purposes.map(purpose => [purpose, agreed.includes(purpose)]);
      kept.write(to, { version, ...Object.fromEntries(answers) });
      for (const cookie of optional) if (!agreed.includes(cookie.purpose as ConsentPurpose)) cookie.clear(to);
    },
  };
}

type Answer = Readonly<Record<string, JsonValue>>;

function isCookie(given: Partial<ConsentCookie> | null): boolean {
  return typeof given?.purpose === 'string' && typeof given.clear === 'function';
}

function noCookies(): MadeleineError {
  return new MadeleineError(
    'ERR_OPTION_INVALID',
    'defineConsent() was not given a list of declared cookies.',
    'Give those that defineCookie() made: defineConsent([theme, visitor]).',
  );
}

function notAsked(name: string, purposes: readonly string[]): MadeleineError {
  return new MadeleineError(
    'ERR_COOKIE_VALUE',
    `The value of the cookie "${name}" is not a list of purposes that were asked for.`,
    `Give some of them, or none: ${purposes.join(', ')}.`,
  );
}
