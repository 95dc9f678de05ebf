/** madeleine for servers of plain Node (http, https, http2's compatibility API), and for connect and polka. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { bareError } from '../http/bare-error.ts';
import { checkTrustProxy, ProxiedFacts } from '../http/facts.ts';
import type { Flash } from '../http/flash.ts';
import { asHttp1, type NodeRequest, type NodeResponse } from '../http/http2.ts';
import { ownOptions } from '../options.ts';
import type { Session } from '../session/bag.ts';
import type { SessionData } from '../session/session-data.ts';
import type { ProxiedSessionOptions } from './adapter-sessions.ts';
import { createMiddleware, type SessionMiddleware } from './middleware.ts';

export type { GuardOptions, SameOriginOptions } from '../http/guard.ts';
export type { NodeRequest, NodeResponse } from '../http/http2.ts';
export type { Next } from '../http/mount.ts';
export { returnTo } from '../http/return-to.ts';
export type { ProxiedSessionOptions as NodeSessionOptions } from './adapter-sessions.ts';
export type { SessionMiddleware } from './middleware.ts';
export { requireLogin, requireRecentLogin, requireSameOrigin, requireUser } from './middleware-guards.ts';

/** What a request has once it came through. */
export interface WithSession<Data extends object = SessionData> {
  /** The session of this request. Put something in, and it is there at the next one. */
  session: Session<Data>;
  /** Messages for the next page: `req.flash('info', 'Saved.')` keeps one, `req.flash('info')` takes them all. */
  flash: Flash;
}

export interface NodeSessions<Data extends object = SessionData> extends SessionMiddleware<Data> {
  /**
   * A listener for `createServer` whose requests have a session. Where the session cannot be read or saved, the client gets
   * a bare error, and `sessions.on('failed')` hears of it.
   *
   * A server of `node:http2` takes it too, whatever the types of its request and response: its compatibility API is used as HTTP/1.
   */
  withSession<Request extends NodeRequest = IncomingMessage, Response extends NodeResponse = ServerResponse>(
    listener: (request: Request & WithSession<Data>, response: Response) => unknown,
  ): Listener<Http2ServerRequest, Http2ServerResponse> & Listener<Request, Response>;
}

type Listener<Request, Response> = (request: Request, response: Response) => void;

/**
 * Sessions for plain Node: a middleware `(req, res, next)` for connect and polka, and `withSession` around a listener.
 *
 * ```js
 * const { withSession } = session({ secret: process.env.SESSION_SECRET });
 * createServer(withSession((req, res) => { req.session.visits = (req.session.visits ?? 0) + 1; res.end(`Visit ${req.session.visits}`); }));
 * ```
 *
 * @throws MadeleineError for wrong options
 */
export function session<Data extends object = SessionData>(options: ProxiedSessionOptions<Data>): NodeSessions<Data> {
  const { trustProxy, ...given } = ownOptions(options ?? {}, 'session');
  const hops = checkTrustProxy(trustProxy ?? 0);
  const middleware = createMiddleware<Data>(given, request => new ProxiedFacts(request, hops));
  return Object.assign(middleware, {
    withSession<Request extends NodeRequest, Response extends NodeResponse>(
      listener: (request: Request & WithSession<Data>, response: Response) => unknown,
    ): Listener<NodeRequest, NodeResponse> {
      return (request, response) => {
        middleware(request, response, error => {
          if (error === undefined) listener(request as Request & WithSession<Data>, response as Response);
          else answer(asHttp1(response), error);
        });
      };
    },
  });

  /** Plain Node has no error handler to give an error to. */
  function answer(response: ServerResponse, error: unknown): void {
    middleware.sessions.reportFailure(error);
    response.end(bareError(response, error));
  }
}
