/** Opens a request's session before its handlers run: what every adapter for a Node server does first. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MaybePromise } from '../maybe-promise.ts';
import type { Session } from '../session/bag.ts';
import type { OpenSession } from '../session/opened.ts';
import type { Sessions } from '../session/sessions.ts';
import type { RequestFacts } from '../session/state.ts';
import { tellApplication } from './application-error.ts';
import { Exchange, exchangesOf } from './exchange.ts';
import { enterGate, gates } from './gate.ts';
import { bearErrors } from './hang-up.ts';
import { interceptAgain } from './intercept.ts';
import { isMounted, sessionAmong } from './mounted.ts';

/** Called as Node calls back: with the error, or with nothing. It is given whatever was thrown, though the types of some hosts (h3) say an Error alone. */
export type Next = (error?: Error) => void;

/**
 * Opens the session: at once with a synchronous store.
 *
 * @param onError answers with an error in the application's own way; called when the session cannot be saved and nothing was sent
 * @throws MadeleineError when the store fails, or `ERR_SESSION_NAME_TWICE`
 */
export function enter<Data extends object>(
  sessions: Sessions<Data>,
  request: IncomingMessage,
  response: ServerResponse,
  facts: RequestFacts,
  onError: (error: Error) => void,
): MaybePromise<void> {
  if (isMounted(sessions, exchangesOf(request), facts)) return holdStill(request);
  const open = sessions.open(request.headers.cookie, facts);
  if (open instanceof Promise) {
    bearErrors(request);
    return enterLater(sessions, open, request, response, onError);
  }
  enterGate(request, response, new Exchange(sessions, open, response, onError));
}

/** The response may have come into another copy of Express since the gate was put before it. */
function holdStill(request: IncomingMessage): void {
  const gate = gates.of(request);
  if (gate) interceptAgain(gate.response, gates.before);
}

/** Apart from `enter`, so that a store that answers at once costs no closure. */
function enterLater<Data extends object>(
  sessions: Sessions<Data>,
  open: Promise<OpenSession<Data>>,
  request: IncomingMessage,
  response: ServerResponse,
  onError: (error: Error) => void,
): Promise<void> {
  return open.then(opened => {
    enterGate(request, response, new Exchange(sessions, opened, response, onError));
  });
}

/** The same for frameworks that go on with a callback. */
export function mount<Data extends object>(
  sessions: Sessions<Data>,
  request: IncomingMessage,
  response: ServerResponse,
  facts: RequestFacts,
  next: Next,
  onError: (error: Error) => void,
): void {
  let entered: MaybePromise<void>;
  try {
    entered = enter(sessions, request, response, facts, onError);
  } catch (error) {
    return tellApplication(sessions, response, error, next);
  }
  if (entered instanceof Promise) goOn(entered, sessions, response, next);
  else next();
}

function goOn(
  entered: Promise<void>,
  sessions: Pick<Sessions, 'reportFailure'>,
  response: ServerResponse,
  next: Next,
): void {
  entered.then(
    () => next(),
    error => tellApplication(sessions, response, error, next),
  );
}

/** The session that these sessions opened for the request, typed. @throws MadeleineError `ERR_SESSION_MISSING` */
export function sessionOf<Data extends object>(sessions: Sessions<Data>, request: IncomingMessage): Session<Data> {
  holdStill(request);
  return sessionAmong(sessions, exchangesOf(request));
}
