/** The Set-Cookie response field, written as RFC 6265bis section 4.1 wants it: strictly, or not at all. */
import { MadeleineError } from '../errors.ts';
import { ownOptions } from '../options.ts';
import { attributeText, type CookieAttributes } from './attributes.ts';

/** Name and value together, in bytes (section 5.6). */
export const LARGEST_COOKIE = 4096;
// token = 1*tchar (RFC 9110 section 5.6.2)
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// cookie-octet = %x21 / %x23-2B / %x2D-3A / %x3C-5B / %x5D-7E (section 4.1.1)
const COOKIE_OCTETS = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;
/** All cookie-octets but the percent sign. */
const UNENCODED = /^[\x21\x23\x24\x26-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;

/**
 * One Set-Cookie line. The value has to consist of cookie-octets already, as `encodeURIComponent` makes it.
 *
 * @throws MadeleineError `ERR_COOKIE_NAME`, `ERR_COOKIE_VALUE`, `ERR_COOKIE_ATTRIBUTE`, `ERR_COOKIE_PREFIX`,
 * `ERR_COOKIE_TOO_LARGE`, `ERR_OPTION_UNKNOWN`; no message holds the value
 */
export function serializeCookie(name: string, value: string, attributes: CookieAttributes = {}): string {
  return pairText(name, value) + attributeText(name, attributes);
}

/** @throws MadeleineError `ERR_COOKIE_NAME`, `ERR_COOKIE_VALUE`, `ERR_COOKIE_TOO_LARGE` */
export function pairText(name: string, value: string): string {
  if (typeof value === 'string' && COOKIE_OCTETS.test(value)) return cleanPair(name, value);
  throw badValue();
}

/**
 * The same for any well-formed text: percent-encoded where a character of it may not stand in a cookie's value, or is a percent sign.
 *
 * @throws MadeleineError `ERR_COOKIE_NAME`, `ERR_COOKIE_TOO_LARGE`
 */
export function encodedPairText(name: string, text: string): string {
  return cleanPair(name, UNENCODED.test(text) ? text : encodeURIComponent(text));
}

function cleanPair(name: string, value: string): string {
  if (typeof name !== 'string' || !TOKEN.test(name)) throw badName();
  // Each character of both is a byte.
  if (name.length + value.length > LARGEST_COOKIE) throw tooLarge();
  return `${name}=${value}`;
}

/**
 * The Set-Cookie line that makes a browser drop this cookie: same name, path, domain and flags, and a lifetime of nothing.
 *
 * @throws MadeleineError as `serializeCookie` does
 */
export function clearCookie(name: string, attributes: CookieAttributes = {}): string {
  const { maxAge: _, ...rest } = ownOptions(attributes, 'cookie');
  // No Duration is zero, so Max-Age=0 is written here: it wins over Expires, which is for the oldest clients.
  return serializeCookie(name, '', { ...rest, expires: new Date(0) }).replace('; Expires=', '; Max-Age=0; Expires=');
}

function badName(): MadeleineError {
  return new MadeleineError(
    'ERR_COOKIE_NAME',
    "A cookie's name is empty or holds characters that it may not.",
    'Use letters, digits, "-", "_" and ".".',
  );
}

function tooLarge(): MadeleineError {
  return new MadeleineError(
    'ERR_COOKIE_TOO_LARGE',
    `A cookie is larger than ${LARGEST_COOKIE} bytes; browsers drop it.`,
    'Keep the data in a session, and in the cookie only what leads to it.',
  );
}

function badValue(): MadeleineError {
  return new MadeleineError(
    'ERR_COOKIE_VALUE',
    'The value of a cookie holds characters that it may not.',
    'Encode it, for instance with encodeURIComponent.',
  );
}
