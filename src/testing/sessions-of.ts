/** The sessions of what an application's tests have at hand. */
import { MadeleineError } from '../errors.ts';
import type { Sessions } from '../session/sessions.ts';

/** Whatever data they hold. */
export type AnySessions = Pick<Sessions<object>, 'open'>;

/**
 * The sessions themselves; what carries them as `sessions`: what `session()` returned, a Fastify application; or an application of
 * Express, Koa, Hono, connect or polka that uses one `session()`.
 */
export type SessionsOwner =
  | AnySessions
  | { readonly sessions: AnySessions }
  | { readonly use: (...args: never[]) => unknown };

/** Where applications keep their middlewares. */
interface Application {
  readonly router?: Application;
  /** Express 4, where to ask for `router` throws. */
  readonly lazyrouter?: unknown;
  readonly _router?: Application;
  /** Routers of Express, connect. */
  readonly stack?: readonly unknown[];
  /** Koa. */
  readonly middleware?: readonly unknown[];
  /** Hono. */
  readonly routes?: readonly unknown[];
  /** polka. */
  readonly wares?: readonly unknown[];
}

/** @throws MadeleineError `ERR_OPTION_INVALID` where there are none, or an application has several */
export function sessionsOf(owner: SessionsOwner): AnySessions {
  const [found, another] = new Set(carriedBy(owner));
  if (found === undefined) {
    throw new MadeleineError(
      'ERR_OPTION_INVALID',
      'loginAs was given something that has no sessions.',
      'Give it what session() or createSessions() returned, or an application that uses session() already.',
    );
  }
  if (another !== undefined) {
    throw new MadeleineError(
      'ERR_OPTION_INVALID',
      'loginAs was given an application that has several sessions.',
      'Give it what the session() returned that is meant.',
    );
  }
  return found;
}

function carriedBy(owner: unknown): AnySessions[] {
  const given = (owner ?? {}) as Partial<AnySessions> & { sessions?: Partial<AnySessions> } & Application;
  for (const one of [given, given.sessions]) if (typeof one?.open === 'function') return [one as AnySessions];
  return middlewaresOf(given).flatMap(carriedBy);
}

function middlewaresOf(application: Application): unknown[] {
  const { lazyrouter, stack, middleware, routes, wares } = application;
  const router = lazyrouter ? application._router : application.router;
  const lists = [stack, router?.stack, middleware, routes, wares];
  return lists.flatMap(list => (Array.isArray(list) ? list.map(middlewareOf) : []));
}

/** Express and connect have it as `handle`, Hono as `handler`, with its path beside it. */
function middlewareOf(entry: unknown): unknown {
  const { handle, handler } = (entry ?? {}) as { handle?: unknown; handler?: unknown };
  return handle ?? handler ?? entry;
}
