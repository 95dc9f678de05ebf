/** Opens a request's session before its handlers run: what every adapter for a Node server does first. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Session } from '../session/bag.ts';
import type { OpenSession } from '../session/opened.ts';
import type { Sessions } from '../session/sessions.ts';
import type { RequestFacts } from '../session/state.ts';
import { Exchange, exchangesOf, tellApplication } from './exchange.ts';
import { isMounted, sessionAmong } from './mounted.ts';

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
  try {
    if (!isMounted(sessions, exchangesOf(request), facts)) {
      const open = sessions.open(request.headers.cookie, facts);
      if (open instanceof Promise) return mountLater(sessions, open, request, response, next, onError);
      new Exchange(sessions, open, request, response, onError);
    }
  } catch (error) {
    return tellApplication(sessions, response, error, next);
  }
  next();
}

/** Apart from `mount`, so that a store that answers at once costs no closures. */
function mountLater<Data extends object>(
  sessions: Sessions<Data>,
  open: Promise<OpenSession<Data>>,
  request: IncomingMessage,
  response: ServerResponse,
  next: Next,
  onError: (error: unknown) => void,
): void {
  open
    .then(opened => {
      new Exchange(sessions, opened, request, response, onError);
    })
    .then(
      () => next(),
      error => tellApplication(sessions, response, error, next),
    );
}

/** The session that these sessions opened for the request, typed. @throws MadeleineError `ERR_SESSION_MISSING` */
export function sessionOf<Data extends object>(sessions: Sessions<Data>, request: IncomingMessage): Session<Data> {
  return sessionAmong(sessions, exchangesOf(request));
}
