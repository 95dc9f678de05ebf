/** `req.session.cookie`. */
import type { CookieAttributes } from '../cookie/attributes.ts';
import { MadeleineError } from '../errors.ts';

/** The session's cookie as it is set, read-only. */
export interface SessionCookieView extends Readonly<CookieAttributes> {
  readonly name: string | null;
}

export function cookieView(cookie: SessionCookieView): SessionCookieView {
  return new Proxy(cookie, READ_ONLY);
}

/**
 * What is written here would be lost: the cookie follows from session()'s options and from the login. A frozen object would take
 * `req.session.cookie.maxAge = …` in silence wherever code is not strict, and say nothing of a remedy where it is.
 */
const READ_ONLY: ProxyHandler<SessionCookieView> = {
  set: refuseChange,
  defineProperty: refuseChange,
  deleteProperty: refuseChange,
};

function refuseChange(_cookie: SessionCookieView, name: string | symbol): never {
  throw new MadeleineError(
    'ERR_DATA_KEY',
    `The session's cookie was assigned to: ${String(name)}.`,
    'Give session() how long sessions live ("idle", "absolute", "remember") and the attributes ("cookie"); to keep one login when the browser closes, call login(userId, { remember: true }).',
  );
}
