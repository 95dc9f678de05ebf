import type { IncomingMessage } from 'node:http';
import { parseCookies } from '../cookie/parse.ts';
import { createKeyring, type Secret } from '../crypto/keyring.ts';
import { createExpressVerifier } from '../crypto/signature.ts';
import { isJson, type JsonValue } from '../json.ts';
import { checkOptions } from '../options.ts';

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

interface CookieRequest extends IncomingMessage {
  cookies?: CookieMap;
  signedCookies?: CookieMap;
  secret?: string | undefined;
}

/** What users of cookie-parser bring along. */
const HINTS = { decode: 'Remove it: values are percent-decoded, and what cannot be is left as it is.' };

/**
 * Reads the request's cookies: `req.cookies`, and with a secret `req.signedCookies`. Known as `cookieParser` too. Reads what
 * cookie-parser and Express signed, and the reverse.
 *
 * @param secret the key, or several: the first signs, all verify. In production at least 32 bytes each.
 * @param options none; here so that one of cookie-parser's is not passed over in silence
 * @throws MadeleineError `ERR_SECRET_MISSING`, `ERR_SECRET_SHORT`, `ERR_OPTION_UNKNOWN`
 */
export function cookies(
  secret?: Secret,
  options: Record<string, never> = {},
): (request: IncomingMessage, response: unknown, next: () => void) => void {
  checkOptions(options, [], 'cookies', HINTS);
  const keys = secret === undefined ? null : createKeyring(secret).secrets;
  const verified = keys && createExpressVerifier(keys);

  return (incoming, _response, next) => {
    const request = incoming as CookieRequest;
    if (request.cookies) return next();
    const sent: CookieMap = parseCookies(request.headers.cookie);
    const signed: CookieMap = Object.create(null);
    for (const name of Object.keys(sent)) {
      const text = sent[name] as string;
      if (verified && text.startsWith('s:')) {
        const value = verified(text.slice(2));
        signed[name] = value === false ? false : parseJsonCookie(value);
        delete sent[name];
      } else sent[name] = parseJsonCookie(text);
    }
    if (keys) request.secret = keys[0];
    request.cookies = sent;
    request.signedCookies = signed;
    next();
  };
}

/** Express writes `res.cookie(name, object)` as `j:` and JSON. Text that only looks like it, or is nested too deep to walk, stays text. */
function parseJsonCookie(text: string): JsonValue {
  if (!text.startsWith('j:')) return text;
  try {
    const value = JSON.parse(text.slice(2)) as JsonValue;
    return isJson(value, 1) ? value : text;
  } catch {
    return text;
  }
}
