/**
 * madeleine for handlers that answer a Fetch `Request` with a `Response`: route handlers of Next.js, loaders of Remix and React
 * Router, hooks and endpoints of SvelteKit and Astro, Bun.serve, Deno.serve.
 */
import { MadeleineError } from '../errors.ts';
import { bareErrorResponse } from '../http/bare-error.ts';
import { checkTrustProxy, FetchFacts } from '../http/facts.ts';
import { fetchExchangesOf, openFetchExchange } from '../http/fetch-exchange.ts';
import { askFetchGuard } from '../http/fetch-guard.ts';
import { type FlashMessages, flash } from '../http/flash.ts';
import { createGuards, type Guards } from '../http/guard.ts';
import { sessionNotWrapped } from '../http/missing.ts';
import { sessionAmong } from '../http/mounted.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import { ownOptions } from '../options.ts';
import type { Session } from '../session/bag.ts';
import type { SessionData } from '../session/session-data.ts';
import { type AdapterSessions, createAdapterSessions, type ProxiedSessionOptions } from './adapter-sessions.ts';

export type { GuardOptions, SameOriginOptions } from '../http/guard.ts';
export { returnTo } from '../http/return-to.ts';
export type { ProxiedSessionOptions as FetchSessionOptions } from './adapter-sessions.ts';

/** A request, or the object in which a framework hands it over: a loader's arguments, an event, a context. */
export type RequestSource = Request | { readonly request: Request } | { readonly req: Request };

/** Gives a handler, whatever arguments its framework hands it, back as a handler with the same arguments. */
type Wrapper = <Source extends RequestSource, Rest extends unknown[] = []>(
  handler: (source: Source, ...rest: Rest) => MaybePromise<Response>,
) => (source: Source, ...rest: Rest) => Promise<Response>;

/** Messages for the next page, of a request that came through `withSession`. @throws MadeleineError `ERR_SESSION_MISSING` */
export interface FetchFlash {
  /** Takes all messages of all types: they are gone afterwards. */
  (source: RequestSource): FlashMessages;
  /** Takes the messages of this type: they are gone afterwards. */
  (source: RequestSource, type: string): string[];
  /** Keeps messages; says how many of this type there are. A text may hold `%s`, as `util.format` has it. */
  (source: RequestSource, type: string, text: string | readonly string[], ...values: unknown[]): number;
}

export interface FetchSessions<Data extends object = SessionData> extends AdapterSessions<Data, RequestSource> {
  /**
   * The same handler, whose requests have a session: `of(request)`. Where the session cannot be read or saved, the answer is a
   * bare error (503 where the store fails), and `sessions.on('failed')` hears of it.
   */
  readonly withSession: Wrapper;
  /** `flash(request, 'info', 'Saved.')` keeps a message for the next page, `flash(request, 'info')` takes them all. */
  readonly flash: FetchFlash;
}

/**
 * Sessions for Fetch handlers.
 *
 * ```js
 * const { withSession, of } = session({ secret: process.env.SESSION_SECRET });
 * export const GET = withSession(request => {
 *   const session = of(request);
 *   session.visits = (session.visits ?? 0) + 1;
 *   return Response.json({ visits: session.visits });
 * });
 * ```
 *
 * @throws MadeleineError for wrong options
 */
export function session<Data extends object = SessionData>(options: ProxiedSessionOptions<Data>): FetchSessions<Data> {
  const { trustProxy, ...given } = ownOptions(options ?? {}, 'session');
  const hops = checkTrustProxy(trustProxy ?? 0);
  const sessions = createAdapterSessions<Data>(given);

  async function orBareError<Result>(work: Promise<Result>): Promise<Result | Response> {
    try {
      return await work;
    } catch (error) {
      sessions.reportFailure(error);
      return bareErrorResponse(error);
    }
  }

  const of = (source: RequestSource): Session<Data> =>
    sessionAmong(sessions, fetchExchangesOf(requestOf(source)), sessionNotWrapped);
  return {
    sessions,
    of,
    flash: (source: RequestSource, ...said: unknown[]) => Reflect.apply(flash, { session: of(source) }, said),
    withSession: handler => {
      if (typeof handler !== 'function') throw handlerMissing();
      return async (source, ...rest) => {
        const request = requestOf(source);
        const facts = new FetchFacts(request, hops);
        const entered = await orBareError(openFetchExchange(sessions, request, request, facts));
        if (entered === null) return handler(source, ...rest);
        if (entered instanceof Response) return entered;
        let response: Response;
        try {
          response = await handler(source, ...rest);
        } catch (thrown) {
          // Remix and React Router answer with a Response that is thrown, too.
          if (thrown instanceof Response) throw await orBareError(entered.complete(thrown));
          await entered.leave();
          throw thrown;
        }
        if (!isResponse(response)) {
          await entered.leave();
          throw noResponseGiven();
        }
        return orBareError(entered.complete(response));
      };
    },
  };
}

/** @throws MadeleineError `ERR_NOT_A_REQUEST` */
function requestOf(source: RequestSource): Request {
  // First of all: the request that Next.js gives its proxy has a property `request`, which throws.
  if (source instanceof Request) return source;
  const { request, req } = (source ?? {}) as { readonly request?: Request; readonly req?: Request };
  const found = request ?? req ?? (source as Partial<Request> | undefined);
  if (typeof found?.headers?.get !== 'function') throw requestNotGiven();
  return found as Request;
}

/** By its methods: a framework's own Response is no instance of the global one. What h3 only later makes a Response of cannot be copied. */
function isResponse(given: unknown): given is Response {
  const { headers, clone } = (given ?? {}) as Partial<Response>;
  return typeof headers?.get === 'function' && typeof clone === 'function';
}

function handlerMissing(): MadeleineError {
  return new MadeleineError(
    'ERR_OPTION_INVALID',
    'withSession() was not given a handler.',
    'Give it the function that answers: withSession(request => Response.json({ … })).',
  );
}

function requestNotGiven(): MadeleineError {
  return new MadeleineError(
    'ERR_NOT_A_REQUEST',
    'What was given for a request has no Request of Fetch.',
    "Give the Request, or an object with it as `request` or `req`; Node's (req, res) are for madeleine/express or madeleine/node.",
  );
}

function noResponseGiven(): MadeleineError {
  return new MadeleineError(
    'ERR_NOT_A_RESPONSE',
    'A handler inside withSession gave back something that is no Response, which cannot carry a cookie.',
    'Give back a Response: Response.json(data), where a loader gave back data.',
  );
}

/**
 * A guard stands before a handler, inside `withSession`: `withSession(requireLogin()(handler))`; `requireSameOrigin` around it:
 * `requireSameOrigin()(withSession(handler))`.
 */
const guards = createGuards<RequestSource, Wrapper>((guard, place) => handler => async (source, ...rest) => {
  const request = requestOf(source);
  const refusal = await askFetchGuard(guard, request, request, source, place, sessionNotWrapped);
  return refusal ?? handler(source, ...rest);
});
export const requireLogin: Guards<RequestSource, Wrapper>['requireLogin'] = guards.requireLogin;
export const requireUser: Guards<RequestSource, Wrapper>['requireUser'] = guards.requireUser;
export const requireRecentLogin: Guards<RequestSource, Wrapper>['requireRecentLogin'] = guards.requireRecentLogin;
export const requireSameOrigin: Guards<RequestSource, Wrapper>['requireSameOrigin'] = guards.requireSameOrigin;
