/** One Fetch request's session and its response: saved before the response is given back, and told to the browser in its head. */
import { setCookieLine } from '../cookie/headers.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import type { OpenSession } from '../session/opened.ts';
import type { SetCookie } from '../session/session-cookie.ts';
import type { Sessions } from '../session/sessions.ts';
import type { RequestFacts, Visitor } from '../session/state.ts';
import { copyIfAtHand, withEnd } from './fetch-body.ts';
import { type LeavingHead, tellOfSession } from './fields.ts';
import { type LateSaver, lookWhenIdle, saveAtEnd, saveSoon } from './late-save.ts';
import { isMounted } from './mounted.ts';

const THREW =
  'A handler began a session or changed its id, and then threw, or gave back no Response, so that the cookie cannot reach the client. Give back a Response, a redirect too.';

export class FetchExchange<Data extends object = object> implements LateSaver {
  readonly sessions: Sessions<Data>;
  readonly #open: OpenSession<Data>;
  /** The response was given back, and no end of a watched body is to come at which changes would be saved anyway. */
  #left = false;
  /** The client went away, or the writer failed. */
  #brokeOff = false;
  isSavingSoon = false;

  constructor(sessions: Sessions<Data>, open: OpenSession<Data>) {
    this.sessions = sessions;
    this.#open = open;
  }

  /** What handlers hold. Who asks for it after the response has left may be about to change something. */
  get session(): OpenSession<Data>['session'] {
    if (this.#left) saveSoon(this);
    return this.#open.session;
  }

  /** Who is logged in, whatever the data says under any name. */
  visitor(): Visitor | null {
    return this.#open.visitor();
  }

  /**
   * Saves, and answers with the response as it may be sent. What a stream's writer changes later is saved at the end of the
   * stream, before the client can know that it has everything.
   *
   * @throws MadeleineError when the session cannot be saved: the response must not be sent
   */
  async complete(response: Response): Promise<Response> {
    const open = this.#open;
    let saving: MaybePromise<void>;
    try {
      saving = open.commit();
      await saving;
    } catch (error) {
      // The error carries no cookie.
      open.closeHead();
      throw error;
    } finally {
      open.endTurn?.();
    }
    const cookies = open.setCookies();
    this.#left = true;
    // While it was being saved, something in the background may have changed it.
    if (saving instanceof Promise) saveSoon(this);
    // 101 and Response.error() are no answers that a field could be added to.
    if ((!open.accessed && cookies.length === 0) || response.status < 200) return response;

    // Otherwise a copy: so that a stream can be watched; because the fields that Response.redirect() and fetch() give cannot be changed;
    // and because a handler that gives the same Response to everybody would give them each other's cookies.
    const sent = (await copyIfAtHand(response)) ?? copyOf(response, this.#watched(response.body));
    // Where a handler passes on what fetch() gave, this tells of another connection; and Bun would send a length beside it.
    sent.headers.delete('Transfer-Encoding');
    tellOfSession(open, cookies, new FetchHead(sent.headers), this.sessions);
    return sent;
  }

  /** The handler gave no response that could carry a cookie: it threw, or somebody else answers. Saves what needs no cookie. */
  async leave(): Promise<void> {
    const open = this.#open;
    await lookWhenIdle(this.sessions, open, () => saveAtEnd(this.sessions, open, THREW));
    this.#left = true;
    open.endTurn?.();
    if (open.setCookies().length > 0) {
      this.sessions.warn('MADELEINE_LATE_SESSION', THREW);
    }
  }

  #watched(body: ReadableStream<Uint8Array> | null): ReadableStream<Uint8Array> | null {
    if (body === null) return null;
    this.#left = false;
    return withEnd(body, {
      beforeEnd: async () => {
        try {
          await saveAtEnd(this.sessions, this.#open);
          this.#left = true;
          saveSoon(this);
        } catch (error) {
          this.sessions.reportFailure(error);
          throw error;
        }
      },
      brokeOff: () => {
        this.#left = true;
        this.#brokeOff = true;
        // At once, as the process may be about to exit, and again after those who listen for this have run.
        this.saveLate();
        saveSoon(this);
      },
    });
  }

  /** Where nobody else would look for what was changed. */
  saveLate(): void {
    const open = this.#open;
    lookWhenIdle(this.sessions, open, () => {
      // Meanwhile a stream is being sent after all: it saves at its end.
      if (!this.#left) return;
      // A session begun now would be nobody's: its cookie cannot reach the client.
      if (this.#brokeOff && open.unstored) return;
      if (open.changed && !open.unstored && !this.#brokeOff) {
        this.sessions.warn(
          'MADELEINE_LATE_CHANGE',
          'The session was changed after its Response had been given back. It was saved, but the client may already have asked again. Change it before; where the writer of a stream changes it, ask for it before, of(request).',
        );
      }
      return saveAtEnd(this.sessions, open);
    });
  }
}

/**
 * Not `new Response(body, response)`: that of @hono/node-server then shares the fields of the other (in version 1), which cannot be
 * changed if they come from fetch(); and reads the body before it is sent, so that one that breaks off at once is sent as an empty one.
 */
function copyOf({ status, statusText, headers }: Response, body: ReadableStream<Uint8Array> | null): Response {
  return new Response(body, { status, statusText, headers: new Headers(headers) });
}

class FetchHead implements LeavingHead {
  readonly #headers: Headers;

  constructor(headers: Headers) {
    this.#headers = headers;
  }

  names(): Iterable<string> {
    return this.#headers.keys();
  }

  field(name: string): string | null {
    return this.#headers.get(name);
  }

  setField(name: string, value: string): void {
    this.#headers.set(name, value);
  }

  setCookie({ name, line }: SetCookie): readonly string[] {
    return setCookieLine(this.#headers, name, line);
  }
}

const EXCHANGES: unique symbol = Symbol('madeleine.exchanges');
type Holder = object & { [EXCHANGES]?: FetchExchange[] };
const NONE: readonly FetchExchange[] = [];

/** The exchanges of a request, or of whatever stands for it, in the order in which they were opened. */
export function fetchExchangesOf(holder: Holder): readonly FetchExchange[] {
  return holder[EXCHANGES] ?? NONE;
}

/**
 * Opens the session of a request; `null`: these sessions have opened theirs before.
 *
 * @param holder what the exchange is kept on: the request, or what stands for it
 * @throws MadeleineError where the session cannot be read, or `ERR_SESSION_NAME_TWICE`
 */
export async function openFetchExchange<Data extends object>(
  sessions: Sessions<Data>,
  holder: Holder,
  request: Request,
  facts: RequestFacts,
): Promise<FetchExchange<Data> | null> {
  if (isMounted(sessions, fetchExchangesOf(holder), facts)) return null;
  const open = await sessions.open(request.headers.get('cookie') ?? undefined, facts);
  const exchange = new FetchExchange(sessions, open);
  holder[EXCHANGES] = [...fetchExchangesOf(holder), exchange as FetchExchange<object>];
  return exchange;
}
