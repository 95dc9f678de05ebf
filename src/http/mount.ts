/** Opens a request's session before its handlers run: what every adapter for a Node server does first. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MadeleineError } from '../errors.ts';
import type { Session } from '../session/bag.ts';
import type { OpenSession } from '../session/opened.ts';
import type { Sessions } from '../session/sessions.ts';
import type { RequestFacts } from '../session/state.ts';
import { Exchange, exchangesOf } from './exchange.ts';
import { sessionMissing } from './missing.ts';

/** Called as Node calls back: with the error, or with nothing. */
export type Next = (error?: unknown) => void;

/**
 * Opens the session, at once with a synchronous store, and goes on with `next`.
 *
 * @param onError answers with an error in the application's own way; called when the session cannot be saved and nothing was sent
 */
export function mount<Data extends object>(
  sessions: Sessions<Data>,
  request: IncomingMessage,
  response: ServerResponse,
  facts: RequestFacts,
  next: Next,
  onError: (error: unknown) => void,
): void {
  const mounted = exchangesOf(request);
  if (mounted.length > 0) {
    // Mounted twice, or on a path below itself: the session is open already.
    if (mounted.some(exchange => exchange.sessions === sessions)) return next();
    const name = sessions.cookieName(facts.secure);
    if (mounted.some(exchange => exchange.sessions.cookieName(facts.secure) === name)) return next(nameTwice());
  }
  try {
    const open = sessions.open(request.headers.cookie, facts);
    if (open instanceof Promise) {
      const enter = (opened: OpenSession<Data>) => {
        new Exchange(sessions, opened, request, response, onError);
      };
      open.then(enter).then(() => next(), next);
      return;
    }
    new Exchange(sessions, open, request, response, onError);
  } catch (error) {
    return next(error);
  }
  next();
}

/** The session that these sessions opened for the request, typed. @throws MadeleineError `ERR_SESSION_MISSING` */
export function sessionOf<Data extends object>(sessions: Sessions<Data>, request: IncomingMessage): Session<Data> {
  const exchange = exchangesOf(request).find(one => one.sessions === sessions);
  if (!exchange) throw sessionMissing();
  return exchange.session as Session<Data>;
}

function nameTwice(): MadeleineError {
  return new MadeleineError(
    'ERR_SESSION_NAME_TWICE',
    'Two different session() share one cookie name on this request.',
    'Give one of them another "name".',
  );
}
