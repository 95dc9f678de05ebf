/** madeleine for Koa: `ctx.session` and `ctx.flash`; `ctx.cookies` stays Koa's own. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sessionProperties } from '../http/accessor.ts';
import { FrameworkFacts, type FrameworkRequest } from '../http/facts.ts';
import type { Flash } from '../http/flash.ts';
import { createGuards, type Guards } from '../http/guard.ts';
import { warnShadowed } from '../http/missing.ts';
import { enter, sessionOf } from '../http/mount.ts';
import { askGuard } from '../http/node-guard.ts';
import type { Session } from '../session/bag.ts';
import type { SessionData } from '../session/session-data.ts';
import { type AdapterSessions, createAdapterSessions, type SessionOptions } from './adapter-sessions.ts';

export type { GuardOptions, SameOriginOptions } from '../http/guard.ts';
export { returnTo } from '../http/return-to.ts';
export type { SessionOptions as KoaSessionOptions } from './adapter-sessions.ts';

/** What contexts have, for TypeScript: `new Koa<Koa.DefaultState, SessionContext>()`. */
export interface SessionContext<Data extends object = SessionData> {
  /** The session of this request. Put something in, and it is there at the next one. */
  session: Session<Data>;
  /** Messages for the next page: `ctx.flash('info', 'Saved.')` keeps one, `ctx.flash('info')` takes them all. */
  flash: Flash;
}

/** A Koa context, as far as it matters here. */
export interface KoaContext extends FrameworkRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly originalUrl: string;
  status: number;
  body: unknown;
  set(fields: Record<string, string>): void;
  onerror(error: Error): void;
}

type KoaMiddleware = (ctx: KoaContext, next: () => Promise<unknown>) => Promise<unknown>;

export interface KoaSessions<Data extends object = SessionData>
  extends KoaMiddleware,
    AdapterSessions<Data, Pick<KoaContext, 'req'>> {}

/** Sessions for Koa: `app.use(session({ secret }))`. @throws MadeleineError for wrong options */
export function session<Data extends object = SessionData>(options: SessionOptions<Data>): KoaSessions<Data> {
  const sessions = createAdapterSessions(options);
  const middleware: KoaMiddleware = (ctx, next) => {
    equip(ctx);
    const fail = (error: Error) => ctx.onerror(error);
    const entered = enter(sessions, ctx.req, ctx.res, new FrameworkFacts(ctx), fail);
    return entered instanceof Promise ? entered.then(next) : next();
  };
  return Object.assign(middleware, {
    sessions,
    of: (ctx: Pick<KoaContext, 'req'>): Session<Data> => sessionOf(sessions, ctx.req),
  });
}

const PROPERTIES = sessionProperties<KoaContext>(ctx => ctx.req);

/** The `app.context` of each application whose requests have come by. */
const SEEN = new WeakSet<object>();

/** Gives `app.context`, from which all contexts of the application are made, its properties: once. */
function equip(ctx: KoaContext): void {
  const prototype: object = Object.getPrototypeOf(ctx);
  if (SEEN.has(prototype)) return;
  SEEN.add(prototype);
  if ('session' in ctx) warnShadowed('ctx', 'koa-session');
  else Object.defineProperties(prototype, PROPERTIES);
}

const guards: Guards<KoaContext, KoaMiddleware, KoaContext & SessionContext> = createGuards(
  (guard, place) => async (ctx, next) => {
    // koa-mount takes the path of what it mounts off the request's own target.
    const refusal = await askGuard(guard, ctx.req, ctx.res, ctx, place, ctx.originalUrl);
    if (refusal === null) return next();
    ctx.status = refusal.status;
    ctx.set(refusal.headers);
    ctx.body = refusal.body;
    return undefined;
  },
);
export const requireLogin: typeof guards.requireLogin = guards.requireLogin;
export const requireUser: typeof guards.requireUser = guards.requireUser;
export const requireRecentLogin: typeof guards.requireRecentLogin = guards.requireRecentLogin;
export const requireSameOrigin: typeof guards.requireSameOrigin = guards.requireSameOrigin;
