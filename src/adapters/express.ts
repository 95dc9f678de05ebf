/**
 * madeleine for Express 4 and 5: `session()` gives `req.session` and `req.flash`, `cookies()` gives `req.cookies` and
 * `req.signedCookies`, `requireLogin()` and its like let only those pass who may.
 */
import type { IncomingMessage } from 'node:http';
import { sessionId } from '../http/accessor.ts';
import { FrameworkFacts } from '../http/facts.ts';
import type { Flash } from '../http/flash.ts';
import type { Guards } from '../http/guard.ts';
import type { NodeRequest } from '../http/http2.ts';
import type { Session } from '../session/bag.ts';
import type { SessionData } from '../session/session-data.ts';
import type { SessionOptions } from './adapter-sessions.ts';
import { addBeforehand } from './express-additions.ts';
import { createMiddleware, equipWith, type SessionMiddleware } from './middleware.ts';
import { type requireLogin, requireUser as requireUserOfNode } from './middleware-guards.ts';

export type { GuardOptions, SameOriginOptions } from '../http/guard.ts';
export type { NodeRequest, NodeResponse } from '../http/http2.ts';
export type { Next } from '../http/mount.ts';
export { returnTo } from '../http/return-to.ts';
export type { SessionOptions as ExpressSessionOptions } from './adapter-sessions.ts';
export type { CookieMap } from './express-cookies.ts';
export { cookies, cookies as cookieParser } from './express-cookies.ts';
export type { SessionMiddleware } from './middleware.ts';
export { requireLogin, requireRecentLogin, requireSameOrigin } from './middleware-guards.ts';

declare global {
  namespace Express {
    interface Request {
      /** The session of this request. Put something in, and it is there at the next one. */
      session: Session;
      /** `req.session.id`, by the name that express-session has for it. Never log it. */
      sessionID: string;
      /** Messages for the next page: `req.flash('info', 'Saved.')` keeps one, `req.flash('info')` takes them all. */
      flash: Flash;
    }
  }
}

/**
 * Sessions for Express.
 *
 * ```js
 * app.use(session({ secret: process.env.SESSION_SECRET }));
 * app.get('/', (req, res) => { req.session.visits = (req.session.visits ?? 0) + 1; res.send(`Visit ${req.session.visits}`); });
 * ```
 *
 * @throws MadeleineError for wrong options
 */
export function session<Data extends object = SessionData>(options: SessionOptions<Data>): SessionMiddleware<Data> {
  const give = equipWith({ sessionID: sessionId });
  const equip = (request: IncomingMessage) => {
    addBeforehand(request);
    give(request);
  };
  return createMiddleware(options, request => new FrameworkFacts(request), equip);
}

/**
 * Lets only users pass for whom the predicate answers `true`, which is given the user's id and what handlers have:
 * `requireUser((userId, req) => req.session.role === 'admin')`. Others: 403; who is not logged in: as with `requireLogin`.
 */
export const requireUser: Guards<
  NodeRequest,
  ReturnType<typeof requireLogin>,
  IncomingMessage & Express.Request
>['requireUser'] = requireUserOfNode;
