/** One request's session and its response: saved before the first byte, and told to the browser in the head. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { replaceSetCookie } from '../cookie/headers.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import type { OpenSession } from '../session/opened.ts';
import type { Sessions } from '../session/sessions.ts';
import type { Visitor } from '../session/state.ts';
import { enterGate, gateOf } from './gate.ts';
import { unwatchConnection, watchConnection } from './hang-up.ts';
import { connectionOf, streamOf } from './http2.ts';
import type { GateParticipant } from './participants.ts';

export class Exchange<Data extends object = object> implements GateParticipant {
  readonly sessions: Sessions<Data>;
  readonly #open: OpenSession<Data>;
  readonly #response: ServerResponse;
  readonly #onError: (error: unknown) => void;
  #watched = false;
  #refused = false;
  #lateCheck = false;

  /** @param onError answers with an error in the application's own way; called only when nothing was sent */
  constructor(
    sessions: Sessions<Data>,
    open: OpenSession<Data>,
    request: IncomingMessage,
    response: ServerResponse,
    onError: (error: unknown) => void,
  ) {
    this.sessions = sessions;
    this.#open = open;
    this.#response = response;
    this.#onError = onError;
    if (open.endTurn) {
      // Whoever went away while waiting for a turn has no end to come.
      if ((streamOf(response) ?? response).closed) open.endTurn();
      else response.once('close', open.endTurn);
    }
    enterGate(request, response, this);
  }

  /** What handlers hold. After the response has ended, asking for it means that something may still be changed. */
  get session(): OpenSession<Data>['session'] {
    if (!this.#watched) {
      // A client that goes away does not take with it what a handler has put into the session.
      this.#watched = true;
      const connection = connectionOf(this.#response);
      if (connection) watchConnection(connection, this);
    }
    if (this.#response.writableEnded && !this.#lateCheck) {
      this.#lateCheck = true;
      setImmediate(() => {
        this.#lateCheck = false;
        this.#saveLate();
      });
    }
    return this.#open.session;
  }

  /** Who is logged in, whatever the data says under any name. */
  visitor(): Visitor | null {
    return this.#open.visitor();
  }

  save(): MaybePromise<void> {
    return this.#open.commit();
  }

  head(): void {
    const response = this.#response;
    if (this.#open.accessed) {
      addVary(response, 'Cookie');
      // What is shown to somebody whose session cannot be read just now must not be shown again when it can.
      if (this.#open.unavailable) response.setHeader('Cache-Control', 'no-store');
    }
    const cookies = this.#open.setCookies();
    if (cookies.length === 0) return;
    for (const { name, line } of cookies) replaceSetCookie(response, name, line);
    forbidSharedCaching(response, message => this.sessions.warn('MADELEINE_CACHE', message));
  }

  /** The head has left, so a session begun now could never reach the client. */
  saveAtEnd(): MaybePromise<void> {
    const open = this.#open;
    return this.#whenIdle(() => {
      if (!open.accessed || !open.changed) return;
      if (!open.unstored) return open.commit();
      this.sessions.warn(
        'MADELEINE_LATE_SESSION',
        'A session was begun after the head of the response had left, so its cookie cannot reach the client and nothing was kept. Put something in the session before the first write.',
      );
    });
  }

  ended(): void {
    const connection = this.#watched ? connectionOf(this.#response) : null;
    if (connection) unwatchConnection(connection, this);
  }

  refused(): void {
    this.#refused = true;
    this.ended();
  }

  /** What is begun for a client that never gets its cookie is nobody's. */
  hungUp(): void {
    if (!this.#open.unstored) this.#saveLate();
  }

  failed(error: unknown, complete: boolean): void {
    if (complete) this.#onError(error);
    else this.failedAtEnd(error);
  }

  failedAtEnd(error: unknown): void {
    this.sessions.reportFailure(error);
  }

  /** After the end, or after the client went away. */
  #saveLate(): void {
    const open = this.#open;
    const report = (error: unknown) => this.failedAtEnd(error);
    try {
      const saved = this.#whenIdle(() => {
        if (this.#refused || !open.accessed || !open.changed) return;
        const saving = this.saveAtEnd();
        if (this.#response.writableEnded) {
          this.sessions.warn(
            'MADELEINE_LATE_CHANGE',
            'The session was changed after the response had ended. It was saved, but the client may already have asked again. Change it before res.end(), res.send() or res.redirect().',
          );
        }
        return saving;
      });
      if (saved instanceof Promise) saved.catch(report);
    } catch (error) {
      report(error);
    }
  }

  /** While something is being done to the session, nobody can tell what is left to save. Whoever waits for that hears of its failure. */
  #whenIdle(look: () => MaybePromise<void>): MaybePromise<void> {
    const { busy } = this.#open;
    if (busy === null) return look();
    const again = () => this.#whenIdle(look);
    return busy.then(again, again);
  }
}

const NONE: readonly Exchange[] = [];

/** The exchanges of a request, one for each session that it has, in the order in which they were opened. */
export function exchangesOf(request: IncomingMessage): readonly Exchange[] {
  return (gateOf(request)?.participants as readonly Exchange[] | undefined) ?? NONE;
}

/** The response depends on this request field (RFC 9110 section 12.5.5). */
export function addVary(response: ServerResponse, field: string): void {
  const present = response.getHeader('Vary');
  if (present === undefined) {
    response.setHeader('Vary', field);
    return;
  }
  const names = String(present)
    .split(',')
    .map(name => name.trim().toLowerCase());
  if (!names.includes('*') && !names.includes(field.toLowerCase())) response.setHeader('Vary', `${present}, ${field}`);
}

/**
 * A response that gives one person a session cookie must not be handed to another by a cache. What the handler said stands if
 * it keeps shared caches out; otherwise it becomes `no-store`. An application that wants otherwise sets
 * `Cache-Control: no-cache="Set-Cookie"` (RFC 9111 section 5.2.2.4), which lets caches keep everything but the cookie.
 */
function forbidSharedCaching(response: ServerResponse, warn: (message: string) => void): void {
  const present = response.getHeader('Cache-Control');
  if (present !== undefined) {
    if (/\b(no-store|private|no-cache)\b/i.test(String(present))) return;
    if (/\b(public|s-maxage)\b/i.test(String(present))) {
      warn(
        'A response that sets the session cookie was marked for shared caches; it was sent with Cache-Control: no-store instead. Say no-cache="Set-Cookie" beside it if the rest may be cached.',
      );
    }
  }
  response.setHeader('Cache-Control', 'no-store');
}
