/** madeleine for Fastify: a plugin that gives `request.session`, `request.flash` and `app.sessions` in the scope where it is registered. */
import type { IncomingHttpHeaders } from 'node:http';
import { MadeleineError } from '../errors.ts';
import { bareError, isOfTheBody, statusOf } from '../http/bare-error.ts';
import { exchangesOf } from '../http/exchange.ts';
import { FrameworkFacts } from '../http/facts.ts';
import { varyBy } from '../http/fields.ts';
import { type Flash, flash } from '../http/flash.ts';
import { createGuards, type Guards, type Refusal } from '../http/guard.ts';
import { asHttp1, type NodeRequest, type NodeResponse } from '../http/http2.ts';
import { sessionAssigned, sessionMissing } from '../http/missing.ts';
import { mount } from '../http/mount.ts';
import { askGuard } from '../http/node-guard.ts';
import { whenSettled } from '../maybe-promise.ts';
import type { Session } from '../session/bag.ts';
import type { SessionData } from '../session/session-data.ts';
import type { Sessions } from '../session/sessions.ts';
import { createAdapterSessions, type SessionOptions } from './adapter-sessions.ts';

export type { GuardOptions, SameOriginOptions } from '../http/guard.ts';
export { returnTo } from '../http/return-to.ts';
export type { SessionOptions as FastifySessionOptions } from './adapter-sessions.ts';

import type { FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    /** Lists, revokes and prunes the sessions of this scope, outside a request as well. */
    sessions: Sessions;
  }
  interface FastifyRequest {
    /** The session of this request. Put something in, and it is there at the next one. */
    session: Session;
    /** Messages for the next page: `request.flash('info', 'Saved.')` keeps one, `request.flash('info')` takes them all. */
    flash: Flash;
  }
}

/** Fastify's objects, as far as they matter here. */
export interface FastifyRequestLike {
  readonly raw: NodeRequest;
  readonly headers: IncomingHttpHeaders;
  readonly protocol: string;
  readonly ip: string;
}
export interface FastifyReplyLike {
  readonly raw: NodeResponse;
  readonly sent: boolean;
  code(status: number): unknown;
  headers(fields: Record<string, string>): unknown;
  getHeaders(): Record<string, unknown>;
  removeHeader(name: string): unknown;
  removeTrailer(name: string): unknown;
  send(payload: unknown): unknown;
}
type Hook<Request> = (request: Request, reply: FastifyReplyLike, done: (error?: Error) => void) => void;
export interface FastifyAppLike {
  decorate(name: string, value: unknown): unknown;
  decorateRequest(name: string, value: unknown): unknown;
  hasDecorator(name: string): boolean;
  hasRequestDecorator(name: string): boolean;
  addHook(name: 'onRequest', hook: Hook<FastifyRequestLike>): unknown;
  addHook(name: 'onReady', hook: (done: () => void) => void): unknown;
}

/**
 * Sessions for Fastify: `app.register(session, { secret })`. Async, so that wrong options are an error of `app.ready()` and
 * `app.listen()`, as every plugin's: what a plugin with a callback throws ends the process.
 *
 * @throws MadeleineError for wrong options
 */
export async function session<Data extends object = SessionData>(
  app: FastifyAppLike,
  options: SessionOptions<Data>,
): Promise<void> {
  if (typeof app?.decorate !== 'function') {
    throw new MadeleineError(
      'ERR_OPTION_INVALID',
      'session() was called without an application of Fastify.',
      'Register it, and let Fastify call it: app.register(session, { secret }).',
    );
  }
  const sessions = createAdapterSessions<Data>(options);
  // Ours of a scope above is here already. If request.session is another plugin's, decorateRequest throws, and Fastify does not start.
  const below = app.hasDecorator('sessions') && app.hasRequestDecorator('session');
  app.decorate('sessions', sessions);
  if (!below) {
    app.decorateRequest('session', { getter: currentSession, setter: refuseAssignment });
    // Last of all: @fastify/flash, which @fastify/passport brings along, has a request.flash of its own and refuses to start beside another.
    app.addHook('onReady', ready => {
      if (!app.hasRequestDecorator('flash')) app.decorateRequest('flash', flash);
      ready();
    });
  }
  app.addHook('onRequest', (request, reply, next) => {
    mount(sessions, asHttp1(request.raw), asHttp1(reply.raw), new FastifyFacts(request), next, error =>
      fail(reply, error),
    );
  });
}

// What the package fastify-plugin does: the scope itself is equipped, not a new one below it; a name for "dependencies".
Object.assign(session, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'madeleine',
  [Symbol.for('plugin-meta')]: { name: 'madeleine', fastify: '>=5' },
});

function currentSession(this: FastifyRequestLike): Session<object> {
  const exchange = exchangesOf(asHttp1(this.raw)).at(-1);
  if (!exchange) throw sessionMissing();
  return exchange.session;
}

function refuseAssignment(): never {
  throw sessionAssigned();
}

/** Fastify says https in another way than Express and Koa do. */
class FastifyFacts extends FrameworkFacts<FastifyRequestLike> {
  override get secure(): boolean {
    return this.request.protocol === 'https';
  }
}

/** Gives the error to the application's error handler; answers barely where a handler has taken over the response (`reply.hijack()`). */
function fail(reply: FastifyReplyLike, error: unknown): void {
  const response = asHttp1(reply.raw);
  if (reply.sent) {
    response.end(bareError(response, error));
    return;
  }
  const headers = reply.getHeaders();
  for (const name of String(headers['trailer'] ?? '').split(' ')) reply.removeTrailer(name);
  for (const name of Object.keys(headers)) if (isOfTheBody(name)) reply.removeHeader(name);
  // Where the reply was an error already, Fastify calls no error handler again: then this is the status.
  response.statusCode = statusOf(error);
  reply.send(error);
}

/** Fastify's own fields (`reply.header('Vary', …)`, as of @fastify/cors) replace those of Node's response: so ours are added to them. */
function varyOf(reply: FastifyReplyLike, { vary }: Refusal): Record<string, string> {
  const present = String(reply.getHeaders()['vary'] ?? '');
  const fields = vary.reduce((text, field) => varyBy(text, field) ?? text, present);
  return { Vary: fields };
}

type RequestWithSession = FastifyRequestLike & Pick<FastifyRequest, 'session' | 'flash'>;

const guards: Guards<FastifyRequestLike, Hook<FastifyRequestLike>, RequestWithSession> = createGuards(
  (guard, place) => (request, reply, done) => {
    whenSettled(
      () => askGuard(guard, asHttp1(request.raw), asHttp1(reply.raw), request, place),
      refusal => {
        if (refusal === null) return done();
        reply.code(refusal.status);
        reply.headers({ ...refusal.headers, ...varyOf(reply, refusal) });
        reply.send(refusal.body);
      },
      done,
    );
  },
);
export const requireLogin: typeof guards.requireLogin = guards.requireLogin;
export const requireUser: typeof guards.requireUser = guards.requireUser;
export const requireRecentLogin: typeof guards.requireRecentLogin = guards.requireRecentLogin;
export const requireSameOrigin: typeof guards.requireSameOrigin = guards.requireSameOrigin;
