/** madeleine for Hono: `c.get('session')` and `c.var.session`, on Node, Bun, Deno and in `app.request()`. */
import type { IncomingMessage } from 'node:http';
import { MadeleineError } from '../errors.ts';
import { bareErrorResponse, isOfTheBody } from '../http/bare-error.ts';
import { checkTrustProxy, FetchFacts } from '../http/facts.ts';
import { fetchExchangesOf, openFetchExchange } from '../http/fetch-exchange.ts';
import { askFetchGuard } from '../http/fetch-guard.ts';
import { type Flash, flash } from '../http/flash.ts';
import { createGuards, type Guards } from '../http/guard.ts';
import { bearErrors } from '../http/hang-up.ts';
import { sessionAssigned, sessionMissing } from '../http/missing.ts';
import { sessionAmong } from '../http/mounted.ts';
import { ownOptions } from '../options.ts';
import type { Session } from '../session/bag.ts';
import type { SessionData } from '../session/session-data.ts';
import { type AdapterSessions, createAdapterSessions, type ProxiedSessionOptions } from './adapter-sessions.ts';

export type { GuardOptions, SameOriginOptions } from '../http/guard.ts';
export { returnTo } from '../http/return-to.ts';
export type { ProxiedSessionOptions as HonoSessionOptions } from './adapter-sessions.ts';

/** What contexts have, for TypeScript: `new Hono<{ Variables: SessionVariables }>()`. */
export interface SessionVariables<Data extends object = SessionData> {
  /** The session of this request. Put something in, and it is there at the next one. */
  session: Session<Data>;
  /** Messages for the next page: `c.var.flash('info', 'Saved.')` keeps one, `c.var.flash('info')` takes them all. */
  flash: Flash;
}

/** A Hono context, as far as it matters here. */
export interface HonoContext {
  readonly req: { readonly raw: Request };
  readonly env: unknown;
  /** Whether anybody has answered. */
  readonly finalized: boolean;
  get res(): Response;
  set res(response: Response | undefined);
}

type HonoMiddleware = (c: HonoContext, next: () => Promise<void>) => Promise<Response | undefined>;

export interface HonoSessions<Data extends object = SessionData>
  extends HonoMiddleware,
    AdapterSessions<Data, HonoContext> {}

/** Sessions for Hono: `app.use(session({ secret }))`. @throws MadeleineError for wrong options */
export function session<Data extends object = SessionData>(options: ProxiedSessionOptions<Data>): HonoSessions<Data> {
  const { trustProxy, ...given } = ownOptions(options ?? {}, 'session');
  const hops = checkTrustProxy(trustProxy ?? 0);
  const sessions = createAdapterSessions<Data>(given);

  const middleware: HonoMiddleware = async (c, next) => {
    const { raw } = c.req;
    const incoming = incomingOf(c);
    if (incoming) bearErrors(incoming);
    const facts = new FetchFacts(raw, hops, incoming?.socket.remoteAddress);
    const exchange = await openFetchExchange(sessions, c, raw, facts).catch(error => throwTo(c, error));
    if (exchange === null) {
      await next();
      return undefined;
    }
    if (fetchExchangesOf(c).length === 1) equip(c);
    try {
      await next();
    } catch (thrown) {
      await exchange.leave();
      throw thrown;
    }
    if (!c.finalized) {
      // Nobody answered. Hono says so, as long as we set no response.
      await exchange.leave();
      return undefined;
    }
    const { res } = c;
    const complete = await exchange.complete(res).catch(error => throwTo(c, error));
    if (complete === res) return undefined;
    // Without this Hono would add the fields of the old response to the new one, which has them already.
    c.res = undefined;
    c.res = complete;
    return undefined;
  };
  return Object.assign(middleware, {
    sessions,
    of: (c: HonoContext): Session<Data> => sessionAmong(sessions, fetchExchangesOf(c)),
  });
}

/** Node's request, where there is one: it knows the client's address, which elsewhere each host has another name for. */
function incomingOf({ env }: HonoContext): IncomingMessage | null {
  const { incoming } = (env ?? {}) as { incoming?: Partial<IncomingMessage> };
  return incoming?.socket ? (incoming as IncomingMessage) : null;
}

/** What a Hono context has for variables; its `get` and `set` are its own properties, `var` is its prototype's. */
interface Variables {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  readonly var: object;
}

/** The variables that are ours, looked up when somebody asks. */
class OwnVariables implements SessionVariables<object> {
  readonly #context: HonoContext;

  constructor(context: HonoContext) {
    this.#context = context;
  }

  get session(): Session<object> {
    return fetchExchangesOf(this.#context).at(-1)?.session as Session<object>;
  }
  get flash(): Flash {
    return flash.bind(this) as Flash;
  }
}

const isOurs = (name: string): name is keyof SessionVariables => name === 'session' || name === 'flash';

/** Prototypes of contexts whose `var` knows of ours. */
const EQUIPPED = new WeakSet<object>();

/**
 * Hono keeps variables in a Map, which cannot tell that somebody looks at one; so the context is asked in its stead. Looking at
 * the session is what makes the response vary by cookie. An accessor goes to the prototype, once: of its own, each context
 * would have a hidden class of its own, and whatever is looked up on it would take the slow way.
 */
function equip(c: HonoContext): void {
  const context = c as HonoContext & Variables;
  const { get, set } = context;
  const ours = new OwnVariables(c);
  context.get = name => (isOurs(name) ? ours[name] : get(name));
  context.set = (name, value) => {
    if (isOurs(name)) throw sessionAssigned();
    set(name, value);
  };
  const prototype: object = Object.getPrototypeOf(c);
  if (EQUIPPED.has(prototype)) return;
  EQUIPPED.add(prototype);
  equipPrototype(prototype);
}

function equipPrototype(prototype: object): void {
  const original = Object.getOwnPropertyDescriptor(prototype, 'var')?.get as (this: HonoContext) => object;
  Object.defineProperty(prototype, 'var', {
    configurable: true,
    get(this: HonoContext): object {
      const variables = original.call(this);
      if (fetchExchangesOf(this).length === 0) return variables;
      const own = new OwnVariables(this);
      const ask = (name: keyof SessionVariables) => ({ get: () => own[name], enumerable: true, configurable: true });
      return Object.defineProperties(variables, { session: ask('session'), flash: ask('flash') });
    },
  });
}

/** Hands an error to Hono's error handling, and takes away what belongs to the response that it replaces. */
function throwTo(c: HonoContext, error: unknown): never {
  const kept = [...c.res.headers].filter(([name]) => !isOfTheBody(name));
  const bare = bareErrorResponse(error);
  c.res = undefined;
  c.res = new Response(null, { status: bare.status, headers: kept });
  // Hono's own error handler answers with what getResponse() gives. An error without it, a fault of the program, it logs.
  if (error instanceof MadeleineError && error.status !== 500) Object.assign(error, { getResponse: () => bare });
  throw error;
}

const guards: Guards<HonoContext, HonoMiddleware, HonoContext & { readonly var: SessionVariables }> = createGuards(
  (guard, place) => async (c, next) => {
    const refusal = await askFetchGuard(guard, c, c.req.raw, c, place, sessionMissing);
    if (refusal !== null) return refusal;
    await next();
    return undefined;
  },
);
export const requireLogin: typeof guards.requireLogin = guards.requireLogin;
export const requireUser: typeof guards.requireUser = guards.requireUser;
export const requireRecentLogin: typeof guards.requireRecentLogin = guards.requireRecentLogin;
export const requireSameOrigin: typeof guards.requireSameOrigin = guards.requireSameOrigin;
