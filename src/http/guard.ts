/** Who may pass, and what the others are told: pure decisions, which the adapters carry out. */
import { type Duration, toLifetime } from '../duration.ts';
import { MadeleineError } from '../errors.ts';
import { type MaybePromise, orElse, whenReady } from '../maybe-promise.ts';
import { checkOptions, invalidOption } from '../options.ts';
import type { Visitor } from '../session/state.ts';
import { createWarnings } from '../warnings.ts';
import { asError } from './bare-error.ts';
import { callSite } from './call-site.ts';
import { warnOfLoginByHand } from './missing.ts';
import { createForgeryCheck, type Provenance } from './origin.ts';
import { isLocalPath } from './return-to.ts';

export interface GuardOptions {
  /** The page to which a browser is sent to log in; `?returnTo=` is added. A path of this site. Default `'/login'`. */
  loginPage?: string | undefined;
}

export interface SameOriginOptions {
  /** Origins whose pages may send forms and scripts here beside this host's own: `['https://app.example']`. Default none. */
  trustedOrigins?: readonly string[] | undefined;
}

/** What a guard looks at. */
export interface Asked extends Provenance {
  /** The target as the client sent it. */
  readonly url: string | undefined;
  /** The Accept field. */
  readonly accept: string | undefined;
  /** Who is logged in. @throws MadeleineError `ERR_SESSION_MISSING` */
  visitor(): Visitor | null;
  /** What the visitor's session holds. */
  session(): object;
}

/** The answer for who may not pass. */
export interface Refusal {
  readonly status: 303 | 401 | 403;
  /** Names in the case in which they are usually written. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The fields of the request that decided. */
  readonly vary: readonly string[];
}

/** Why somebody may not pass. */
type Reason = 'login-required' | 'recent-login-required' | 'forbidden' | 'cross-site';

/** Decides of one request; `null` lets it pass. */
export type Guard<Request> = (asked: Asked, request: Request) => MaybePromise<Refusal | null>;

/**
 * The guards in the form that one framework gives them: a middleware, a hook. `Holder` is what its handlers hold, `Seen` what is known
 * of it below `session()`.
 */
export interface Guards<Holder, Form, Seen extends Holder = Holder> {
  /** Lets only those pass who are logged in. Others: a page is redirected to log in, an API answered with 401. */
  requireLogin(options?: GuardOptions): Form;
  /**
   * Lets only users pass for whom `predicate(userId, request)` answers `true`. Others: 403; who is not logged in: as with
   * `requireLogin`.
   */
  requireUser<Request extends Holder = Seen>(predicate: Predicate<Request>, options?: GuardOptions): Form;
  /** Lets only those pass who logged in no longer ago than this: before a password is changed, say. Others log in again. */
  requireRecentLogin(within: Duration, options?: GuardOptions): Form;
  /**
   * Lets only those requests change something that come from this site's own pages, or from no browser: what another site's
   * page sends with any method but GET, HEAD and OPTIONS, or to open a WebSocket, is answered with 403 (cross-site request forgery).
   * Needs no session, and best stands above it.
   */
  requireSameOrigin(options?: SameOriginOptions): Form;
}

/** @param form makes a middleware of a guard; `place` is the line where the application asked for it, for errors */
export function createGuards<Holder, Form, Seen extends Holder = Holder>(
  form: (guard: Guard<Holder>, place: string | null) => Form,
): Guards<Holder, Form, Seen> {
  return {
    requireLogin: options => form(loginGuard(options), callSite()),
    requireUser: (predicate, options) => form(userGuard(predicate, options) as Guard<Holder>, callSite()),
    requireRecentLogin: (within, options) => form(recentLoginGuard(within, options), callSite()),
    requireSameOrigin: options => form(sameOriginGuard(options), null),
  };
}

function loginGuard(options?: GuardOptions): Guard<unknown> {
  const refuse = refusals(options);
  return asked => (visitorOf(asked) ? null : refuse('login-required', asked));
}

function visitorOf(asked: Asked): Visitor | null {
  const visitor = asked.visitor();
  if (visitor === null) warnOfLoginByHand(asked.session());
  return visitor;
}

/** Whatever the predicate threw: a framework that is given no error would let the request pass. */
function failed(thrown: unknown): never {
  throw asError(thrown);
}

/** Says whether a user may pass; the request is whatever the framework's handlers hold. */
export type Predicate<Request> = (userId: string, request: Request) => MaybePromise<boolean>;

function userGuard<Request>(predicate: Predicate<Request>, options?: GuardOptions): Guard<Request> {
  const refuse = refusals(options);
  if (typeof predicate !== 'function') {
    throw new MadeleineError(
      'ERR_OPTION_INVALID',
      'requireUser() was not given a function.',
      'Give one that takes the user id and answers true for who may pass.',
    );
  }
  return (asked, request) => {
    const visitor = visitorOf(asked);
    if (!visitor) return refuse('login-required', asked);
    // Nothing but `true` lets anybody pass: a promise that was forgotten, or a record that was found, is no permission.
    const answer = (allowed: boolean) => (allowed === true ? null : refuse('forbidden', asked));
    const ask = () => predicate(visitor.userId, request);
    return whenReady(orElse(ask, failed), answer);
  };
}

function recentLoginGuard(within: Duration, options?: GuardOptions): Guard<unknown> {
  const refuse = refusals(options);
  const limit = toLifetime(within, 'within');
  return asked => {
    const visitor = visitorOf(asked);
    if (!visitor) return refuse('login-required', asked);
    return visitor.loginAge <= limit ? null : refuse('recent-login-required', asked);
  };
}

function sameOriginGuard(options: SameOriginOptions = {}): Guard<unknown> {
  const { trustedOrigins = [] } = checkOptions(options, ['trustedOrigins'], 'guard');
  const mayChange = createForgeryCheck(trustedOrigins);
  const warn = createWarnings();
  return asked => {
    if (mayChange(asked)) return null;
    warn('MADELEINE_CROSS_SITE', crossSite(asked));
    return refusal(403, 'cross-site', asked, ['Sec-Fetch-Site', 'Origin', 'Accept']);
  };
}

/** For the developer, whose own page on another port may be meant. What the client says is cut, and made harmless to terminals. */
function crossSite({ method, origin, host, site }: Asked): string {
  const said = Object.entries({ Origin: origin, Host: host, 'Sec-Fetch-Site': site })
    .map(
      ([field, value]) => `${field}: ${value === undefined ? 'not sent' : value.slice(0, 100).replace(/[^ -~]/g, '?')}`,
    )
    .join(', ');
  return `A ${method} from another origin was refused (${said}). If that is a page of yours, name it: requireSameOrigin({ trustedOrigins: ['https://app.example'] }); behind a proxy, let it hand on the Host field.`;
}

/** Who is not logged in is sent to do so; a page by a redirect. */
function refusals(options: GuardOptions = {}): (reason: Reason, asked: Asked) => Refusal {
  const { loginPage = '/login' } = checkOptions(options, ['loginPage'], 'guard');
  if (!isLocalPath(loginPage))
    throw invalidOption('loginPage', 'is no path of this site', "Give one such as '/login'.");
  return (reason, asked) => {
    if (reason === 'forbidden') return refusal(403, reason, asked, BY_ACCEPT);
    if (wantsPage(asked.accept)) {
      const headers = { ...NOT_STORED, Location: loginPage + returning(asked, loginPage) };
      return { status: 303, headers, body: '', vary: BY_ACCEPT };
    }
    // RFC 9110 section 15.5.2: a 401 names a scheme. Browsers ask nobody for a password because of this one.
    const challenge = { 'WWW-Authenticate': `Cookie realm="${loginPage}"` };
    return refusal(401, reason, asked, BY_ACCEPT, challenge);
  };
}

const NOT_STORED = { 'Cache-Control': 'no-store' };
const BY_ACCEPT = ['Accept'];

/** A page is answered with text, an API with JSON: whichever the Accept field prefers. */
function refusal(
  status: Refusal['status'],
  reason: Reason,
  asked: Asked,
  vary: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): Refusal {
  const [type, body] = wantsPage(asked.accept)
    ? ['text/plain', 'Forbidden\n']
    : ['application/json', JSON.stringify({ error: reason })];
  return { status, headers: { ...NOT_STORED, ...headers, 'Content-Type': `${type}; charset=utf-8` }, body, vary };
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
