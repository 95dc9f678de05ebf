/** Who may pass, and what the others are told: pure decisions, which the adapters carry out. */
import { type Duration, toMilliseconds } from '../duration.ts';
import { MadeleineError } from '../errors.ts';
import { type MaybePromise, whenReady } from '../maybe-promise.ts';
import { checkOptions, invalidOption } from '../options.ts';
import type { Visitor } from '../session/state.ts';
import { callSite } from './call-site.ts';
import { isLocalPath } from './return-to.ts';

export interface GuardOptions {
  /** The page to which a browser is sent to log in; `?returnTo=` is added. A path of this site. Default `'/login'`. */
  loginPage?: string;
}

/** What a guard looks at. */
export interface Asked {
  readonly method: string | undefined;
  /** The target as the client sent it. */
  readonly url: string | undefined;
  /** The Accept field. */
  readonly accept: string | undefined;
}

/** The answer for who may not pass. */
export interface Refusal {
  readonly status: 303 | 401 | 403;
  /** Names in the case in which they are usually written. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Why somebody may not pass. */
type Reason = 'login-required' | 'recent-login-required' | 'forbidden';

/** Decides of one request; `null` lets it pass. */
export type Guard<Request> = (visitor: Visitor | null, request: Request, asked: Asked) => MaybePromise<Refusal | null>;

/** The guards in the form that one framework gives them: a middleware, a hook. `Holder` is what its handlers hold. */
export interface Guards<Holder, Form> {
  /** Lets only those pass who are logged in. Others: a page is redirected to log in, an API answered with 401. */
  requireLogin(options?: GuardOptions): Form;
  /** Lets only users pass for whom `predicate` answers `true`. Others: 403; who is not logged in: as with `requireLogin`. */
  requireUser<Request extends Holder = Holder>(predicate: Predicate<Request>, options?: GuardOptions): Form;
  /** Lets only those pass who logged in no longer ago than this: before a password is changed, say. Others log in again. */
  requireRecentLogin(within: Duration, options?: GuardOptions): Form;
}

/** @param form makes a middleware of a guard; `place` is the line where the application asked for it, for errors */
export function createGuards<Holder, Form>(
  form: (guard: Guard<Holder>, place: string | null) => Form,
): Guards<Holder, Form> {
  return {
    requireLogin: options => form(loginGuard(options), callSite()),
    requireUser: (predicate, options) => form(userGuard(predicate, options) as Guard<Holder>, callSite()),
    requireRecentLogin: (within, options) => form(recentLoginGuard(within, options), callSite()),
  };
}

function loginGuard(options: GuardOptions = {}): Guard<unknown> {
  const refuse = refusals(options);
  return (visitor, _request, asked) => (visitor ? null : refuse('login-required', asked));
}

/** Says whether a user may pass; the request is whatever the framework's handlers hold. */
export type Predicate<Request> = (userId: string, request: Request) => MaybePromise<boolean>;

function userGuard<Request>(predicate: Predicate<Request>, options: GuardOptions = {}): Guard<Request> {
  const refuse = refusals(options);
  if (typeof predicate !== 'function') {
    throw new MadeleineError(
      'ERR_OPTION_INVALID',
      'requireUser() was not given a function.',
      'Give one that takes the user id and answers true for who may pass.',
    );
  }
  return (visitor, request, asked) => {
    if (!visitor) return refuse('login-required', asked);
    // Nothing but `true` lets anybody pass: a promise that was forgotten, or a record that was found, is no permission.
    const answer = (allowed: boolean) => (allowed === true ? null : refuse('forbidden', asked));
    return whenReady(predicate(visitor.userId, request), answer);
  };
}

function recentLoginGuard(within: Duration, options: GuardOptions = {}): Guard<unknown> {
  const refuse = refusals(options);
  const limit = toMilliseconds(within, 'within');
  return (visitor, _request, asked) => {
    if (!visitor) return refuse('login-required', asked);
    return visitor.loginAge <= limit ? null : refuse('recent-login-required', asked);
  };
}

/** A page is answered with a redirect or with text, an API with JSON: whichever the Accept field prefers. */
function refusals(options: GuardOptions): (reason: Reason, asked: Asked) => Refusal {
  const { loginPage = '/login' } = checkOptions(options, ['loginPage'], 'guard');
  if (!isLocalPath(loginPage))
    throw invalidOption('loginPage', 'is no path of this site', "Give one such as '/login'.");
  return (reason, asked) => {
    const headers = { 'Cache-Control': 'no-store' };
    const status = reason === 'forbidden' ? 403 : 401;
    if (!wantsPage(asked.accept)) {
      // RFC 9110 section 15.5.2: a 401 names a scheme. Browsers ask nobody for a password because of this one.
      const challenge = status === 401 ? { 'WWW-Authenticate': `Cookie realm="${loginPage}"` } : {};
      const type = 'application/json; charset=utf-8';
      return {
        status,
        headers: { ...headers, ...challenge, 'Content-Type': type },
        body: JSON.stringify({ error: reason }),
      };
    }
    if (status === 403) {
      return { status, headers: { ...headers, 'Content-Type': 'text/plain; charset=utf-8' }, body: 'Forbidden\n' };
    }
    return { status: 303, headers: { ...headers, Location: loginPage + returning(asked, loginPage) }, body: '' };
  };
}

/** Only what can be asked for again by a link is worth returning to. */
function returning({ method, url }: Asked, loginPage: string): string {
  if ((method !== 'GET' && method !== 'HEAD') || !isLocalPath(url)) return '';
  return `${loginPage.includes('?') ? '&' : '?'}returnTo=${encodeURIComponent(url)}`;
}

/** Whether HTML is asked for by name, and no less than JSON. That anything will do, as `fetch` says, does not ask for a page. */
function wantsPage(accept: string | undefined): boolean {
  const html = quality(accept, /^(text\/html|application\/xhtml\+xml)$/);
  return html > 0 && html >= quality(accept, /^application\/([\w.-]+\+)?json$/);
}

function quality(accept: string | undefined, type: RegExp): number {
  let best = 0;
  for (const range of accept?.toLowerCase().split(',') ?? []) {
    const [name = '', ...parameters] = range.split(';').map(part => part.trim());
    if (!type.test(name)) continue;
    const q = parameters.find(parameter => parameter.startsWith('q='));
    best = Math.max(best, q === undefined ? 1 : Number(q.slice(2)) || 0);
  }
  return best;
}
