import { MadeleineError } from '../errors.ts';
import type { LoginOptions } from '../session/login-options.ts';
import { readSetCookie } from './client.ts';
import { type SessionsOwner, sessionsOf } from './sessions-of.ts';

export interface LoginAsOptions extends Pick<LoginOptions, 'remember'> {
  /** What the session holds besides: its data. Default: nothing. */
  data?: object | undefined;
  /** Whether the tests ask over https, where the cookie has a name of its own. Default `false`. */
  secure?: boolean | undefined;
}

/** A cookie as test tools take it. */
export interface LoginCookie {
  /** For `app.inject({ cookies: { [name]: value } })` and Playwright's `addCookies([{ name, value, url }])`. */
  readonly name: string;
  readonly value: string;
  /** For a Cookie field: supertest's `.set('Cookie', header)`, `app.request(url, { headers: { cookie: header } })`. */
  readonly header: string;
  /** The same, for who gives the whole object where a field is wanted. */
  toString(): string;
}

/**
 * Begins a session in which this user is logged in, without a request. For stores that keep the session: with one that
 * travels in several cookies, name and value are the first's, and `header` has them all.
 *
 * @throws MadeleineError `ERR_OPTION_INVALID` for what has no sessions, or an application that has several; `ERR_OPTION_CONFLICT` where no session cookie may be set: with `cookie.secure: true` give `secure: true`
 */
export async function loginAs(
  owner: SessionsOwner,
  userId: string | number,
  { secure = false, data = {}, ...options }: LoginAsOptions = {},
): Promise<LoginCookie> {
  const sessions = sessionsOf(owner);
  const opened = await sessions.open(undefined, { secure, device: () => null });
  // Before the data, which may shadow it.
  const { login } = opened.session;
  Object.assign(opened.session, data);
  await login.call(opened.session, userId, options);
  await opened.commit();
  const cookies = opened.setCookies().map(({ line }) => readSetCookie(line));
  const [first] = cookies;
  if (first === undefined) {
    throw new MadeleineError(
      'ERR_OPTION_CONFLICT',
      'The session cookie is only set over https.',
      'Give loginAs the option secure: true, and let the tests ask over https.',
    );
  }
  const { name, value } = first;
  const header = cookies.map(cookie => `${cookie.name}=${cookie.value}`).join('; ');
  return { name, value, header, toString: () => header };
}
