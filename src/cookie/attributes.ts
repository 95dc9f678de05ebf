/** The attributes of the Set-Cookie field, checked and written as RFC 6265bis section 4.1 wants them. */
import { type Duration, toMilliseconds } from '../duration.ts';
import { MadeleineError } from '../errors.ts';
import { checkOptions } from '../options.ts';

/** The attributes of a cookie. Each is written at most once; unknown ones throw. */
export interface CookieAttributes {
  /** How long the browser keeps it: at most 400 days (section 5.5), more is cut. Absent: until the browser closes. */
  maxAge?: Duration | undefined;
  /** The moment at which the browser drops it. `maxAge` wins where both are given. */
  expires?: Date | undefined;
  /** Shares the cookie with this domain and its subdomains. Absent: this host alone. */
  domain?: string | undefined;
  /** Default `'/'`. */
  path?: string | undefined;
  /** Only over https (and on localhost). Default `false`. */
  secure?: boolean | undefined;
  /** Hidden from scripts. Default `false`. */
  httpOnly?: boolean | undefined;
  /** Default `'lax'`. `'none'` needs `secure`. */
  sameSite?: 'strict' | 'lax' | 'none' | undefined;
  /** A cookie of its own under each top-level site (CHIPS). Needs `secure`. Default `false`. */
  partitioned?: boolean | undefined;
  /** Which cookies a browser drops last when there are too many. */
  priority?: 'low' | 'medium' | 'high' | undefined;
}

const COOKIE_ATTRIBUTES: readonly (keyof CookieAttributes)[] = [
  ...(['maxAge', 'expires', 'domain', 'path', 'secure', 'httpOnly', 'sameSite', 'partitioned', 'priority'] as const),
];

/** The attributes that `defineCookie` takes: its cookies have a lifetime (`maxAge`), and no date. */
export const DECLARED_ATTRIBUTES: readonly string[] = COOKIE_ATTRIBUTES.filter(name => name !== 'expires');

/** One attribute's value, in bytes (section 5.6). */
const LARGEST_ATTRIBUTE = 1024;
/** 400 days in milliseconds (section 5.5). */
export const LONGEST_LIFETIME: number = 400 * 86_400_000;

// path-value = *av-octet, where av-octet = %x20-3A / %x3C-7E (section 4.1.1); a space at the end browsers take away (section 5.6)
const PATH = /^\/(?:[\x20-\x3a\x3c-\x7e]*[\x21-\x3a\x3c-\x7e])?$/;
const DOMAIN_LABEL = '[0-9a-z](?:[0-9a-z-]{0,61}[0-9a-z])?';
const DOMAIN = new RegExp(`^${DOMAIN_LABEL}(?:\\.${DOMAIN_LABEL})*$`, 'i');

const SAME_SITE = { strict: 'Strict', lax: 'Lax', none: 'None' } as const;
const PRIORITY = { low: 'Low', medium: 'Medium', high: 'High' } as const;

/**
 * What follows the value in the line of a cookie of this name.
 *
 * @throws MadeleineError `ERR_COOKIE_ATTRIBUTE`, `ERR_COOKIE_PREFIX`, `ERR_OPTION_UNKNOWN`
 */
export function attributeText(name: string, attributes: CookieAttributes): string {
  // `checkOptions` makes a copy: not needed where there are nothing but known attributes, as nearly always.
  const given = holdsAttributesAlone(attributes) ? attributes : checkOptions(attributes, COOKIE_ATTRIBUTES, 'cookie');
  const {
    domain,
    path = '/',
    secure = false,
    httpOnly = false,
    sameSite = 'lax',
    partitioned = false,
    priority,
  } = given;
  checkFlag('secure', secure);
  checkFlag('httpOnly', httpOnly);
  checkFlag('partitioned', partitioned);
  if (name.startsWith('__')) checkPrefix(name, given);
  if (sameSite === 'none' && !secure)
    throw badAttribute('sameSite', "Browsers refuse 'none' without secure: set secure to true.");
  if (partitioned && !secure)
    throw badAttribute('partitioned', 'Browsers refuse it without secure: set secure to true.');
  let text = lifetimeText(given);
  if (domain !== undefined)
    text += `; Domain=${checkText('domain', domain, DOMAIN, 'Give a host name without a leading dot.')}`;
  text += path === '/' ? '; Path=/' : `; Path=${checkText('path', path, PATH, "Give a path that begins with '/'.")}`;
  if (secure) text += '; Secure';
  if (httpOnly) text += '; HttpOnly';
  text += `; SameSite=${wordOf('sameSite', sameSite, SAME_SITE)}`;
  if (partitioned) text += '; Partitioned';
  if (priority !== undefined) text += `; Priority=${wordOf('priority', priority, PRIORITY)}`;
  return text;
}

/** Whether there is nothing but known attributes; `false` for inherited ones too, which a polluted prototype may have. */
function holdsAttributesAlone(given: object | null): boolean {
  if (given === null || typeof given !== 'object' || Array.isArray(given)) return false;
  const known: readonly string[] = COOKIE_ATTRIBUTES;
  for (const name in given) if (!known.includes(name) || !Object.hasOwn(given, name)) return false;
  return true;
}

function checkFlag(flag: string, value: unknown): void {
  if (typeof value !== 'boolean') throw badAttribute(flag, 'Give true or false.');
}

function checkText(attribute: string, text: string, pattern: RegExp, remedy: string): string {
  if (typeof text !== 'string' || !pattern.test(text)) throw badAttribute(attribute, remedy);
  if (text.length > LARGEST_ATTRIBUTE)
    throw badAttribute(attribute, `Browsers ignore it above ${LARGEST_ATTRIBUTE} bytes.`);
  return text;
}

function lifetimeText({ maxAge, expires }: CookieAttributes): string {
  let text = '';
  if (maxAge !== undefined) {
    const lifetime = Math.min(toMilliseconds(maxAge, 'maxAge'), LONGEST_LIFETIME);
    // Not 0, which means: drop it.
    text += `; Max-Age=${Math.max(1, Math.floor(lifetime / 1000))}`;
  }
  if (expires !== undefined) {
    const year = expires instanceof Date ? expires.getUTCFullYear() : Number.NaN;
    if (!(year >= 1601 && year <= 9999))
      throw badAttribute('expires', 'Give a valid Date between the years 1601 and 9999.');
    text += `; Expires=${expires.toUTCString()}`;
  }
  return text;
}

function wordOf<Key extends string>(attribute: string, given: Key, words: Readonly<Record<Key, string>>): string {
  if (typeof given === 'string' && Object.hasOwn(words, given)) return words[given];
  throw badAttribute(attribute, `Give one of: ${Object.keys(words).join(', ')}.`);
}

/** The prefixes make browsers keep promises (section 4.1.3; `__Http-` by draft-ietf-httpbis-layered-cookies section 4.1.3). */
function checkPrefix(name: string, { secure, httpOnly, path = '/', domain }: CookieAttributes): void {
  const prefix = /^__(?:Host-Http|Host|Secure|Http)-/i.exec(name)?.[0];
  if (prefix === undefined) return;
  const problems = [
    !/^__(?:Host-Http|Host|Secure|Http)-$/.test(prefix) &&
      'is miscapitalised, which browsers honour and servers do not',
    !secure && 'needs secure',
    /http-/i.test(prefix) && !httpOnly && 'needs httpOnly',
    /^__host-/i.test(prefix) && (path !== '/' || domain !== undefined) && "needs path '/' and no domain",
  ].filter(problem => problem !== false);
  if (problems.length === 0) return;
  throw new MadeleineError(
    'ERR_COOKIE_PREFIX',
    `The name prefix ${prefix} ${problems.join(', and ')}.`,
    'Browsers refuse such a cookie: set the attributes, or drop the prefix.',
  );
}

function badAttribute(attribute: string, remedy: string): MadeleineError {
  return new MadeleineError('ERR_COOKIE_ATTRIBUTE', `The cookie attribute "${attribute}" cannot be written.`, remedy);
}
