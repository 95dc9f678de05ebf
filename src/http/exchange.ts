/** One request's session and its response: saved before the first byte, and told to the browser in the head. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { replaceSetCookie } from '../cookie/headers.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import type { OpenSession } from '../session/opened.ts';
import type { SetCookie } from '../session/session-cookie.ts';
import type { Sessions } from '../session/sessions.ts';
import type { Visitor } from '../session/state.ts';
import { answerIfNobodyDoes, tellApplication } from './application-error.ts';
import { type LeavingHead, tellOfSession, varyBy } from './fields.ts';
import { gates } from './gate.ts';
import { unwatchConnection, watchConnection, whenOver } from './hang-up.ts';
import { connectionOf, writableOf } from './http2.ts';
import { type LateSaver, lookWhenIdle, saveAtEnd, saveSoon } from './late-save.ts';
import type { GateParticipant } from './participants.ts';

export class Exchange<Data extends object = object> implements GateParticipant, LeavingHead, LateSaver {
  readonly sessions: Sessions<Data>;
  readonly #open: OpenSession<Data>;
  readonly #response: ServerResponse;
  readonly #onError: (error: Error) => void;
  /** The connection that is watched for a client that goes away; `null` until a handler asks for the session. */
  #connection: ReturnType<typeof connectionOf> = null;
  /** The response has ended, or the client has gone: no later moment will come at which changes are saved anyway. */
  #over = false;
  #refused = false;
  isSavingSoon = false;

  /** @param onError answers with an error in the application's own way; called only when nothing was sent */
  constructor(
    sessions: Sessions<Data>,
    open: OpenSession<Data>,
    response: ServerResponse,
    onError: (error: Error) => void,
  ) {
    this.sessions = sessions;
    this.#open = open;
    this.#response = response;
    this.#onError = onError;
    if (open.endTurn) whenOver(response, open.endTurn);
  }

  /** What handlers hold. Who asks for it after the response is over may be about to change something. */
  get session(): OpenSession<Data>['session'] {
    if (this.#over) {
      saveSoon(this);
    } else if (this.#connection === null) {
      // If the client goes away before the response ends, what handlers have put into the session is saved then.
      this.#connection = connectionOf(this.#response);
      if (this.#connection !== null) watchConnection(this.#connection, this);
    }
    return this.#open.session;
  }

  /** Who is logged in, whatever the data says under any name. */
  visitor(): Visitor | null {
    return this.#open.visitor();
  }

  /** The id in the cookie, whatever the data says under any name. */
  identify(): string {
    return this.#open.identify();
  }

  save(): MaybePromise<void> {
    return this.#open.commit();
  }

  head(given: LeavingHead | null): void {
    tellOfSession(this.#open, this.#open.setCookies(), given ?? this, this.sessions);
  }

  headHasLeft(): void {
    this.#open.closeHead();
    if (writableOf(this.#response).writableEnded) this.ended(false);
  }

  names(): Iterable<string> {
    // A mock may have no such method.
    return this.#response.getHeaderNames?.() ?? [];
  }

  field(name: string): string | null {
    return fieldOf(this.#response, name);
  }

  setField(name: string, value: string): void {
    this.#response.setHeader(name, value);
  }

  setCookie({ name, line }: SetCookie): readonly string[] {
    return replaceSetCookie(this.#response, name, line);
  }

  saveAtEnd(): MaybePromise<void> {
    return saveAtEnd(this.sessions, this.#open);
  }

  ended(late: boolean): void {
    this.#over = true;
    if (this.#connection !== null) unwatchConnection(this.#connection, this);
    if (late) saveSoon(this);
  }

  refused(): void {
    this.#refused = true;
    // The error carries no cookie.
    this.#open.closeHead();
    this.ended(false);
  }

  /** Saves at once, as the process may be about to exit, and again after handlers that listen for this have run. */
  hungUp(): void {
    this.#over = true;
    this.saveLate();
    saveSoon(this);
  }

  failed(error: unknown): void {
    tellApplication(this.sessions, this.#response, error, this.#onError);
    answerIfNobodyDoes(this.sessions, this.#response, error);
  }

  report(error: unknown): void {
    this.sessions.reportFailure(error);
  }

  /** After the end, or after the client went away. */
  saveLate(): void {
    const open = this.#open;
    lookWhenIdle(this.sessions, open, () => {
      if (this.#refused || !open.accessed || !(open.changed || open.failed)) return;
      const { writableEnded } = this.#response;
      // A session begun now would be nobody's: its cookie cannot reach the client.
      if (!writableEnded && open.unstored) return;
      const saving = this.saveAtEnd();
      if (writableEnded) {
        this.sessions.warn(
          'MADELEINE_LATE_CHANGE',
          'The session was changed after the response had ended. It was saved, but the client may already have asked again. Change it before res.end(), res.send() or res.redirect().',
        );
      }
      return saving;
    });
  }
}

const NONE: readonly Exchange[] = [];

/** The exchanges of a request, one for each session that it has, in the order in which they were opened. */
export function exchangesOf(request: IncomingMessage): readonly Exchange[] {
  return (gates.of(request)?.participants as readonly Exchange[] | undefined) ?? NONE;
}

/** The response depends on this request field. */
export function addVary(response: ServerResponse, field: string): void {
  const vary = varyBy(fieldOf(response, 'Vary'), field);
  if (vary !== null) response.setHeader('Vary', vary);
}

function fieldOf(response: ServerResponse, name: string): string | null {
  const present = response.getHeader(name);
  return present === undefined ? null : String(present);
}
