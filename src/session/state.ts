import { randomToken, sha256 } from '../crypto/token.ts';
import { MadeleineError } from '../errors.ts';
import type { Core } from './core.ts';
import { leftBehind } from './left-behind.ts';
import { endOf } from './policy.ts';
import { type Device, nextVersion, type SessionRecord } from './record.ts';
import type { Snapshot } from './snapshot.ts';

const NONE_UNDER_WAY: readonly never[] = [];

/** What the session layer wants to know of a request. */
export interface RequestFacts {
  /** Whether the request came over https, as the server's proxy setting tells. */
  readonly secure: boolean;
  /** Where it came from; asked only when a session is stored for the first time. */
  device(): Device | null;
  /** Whether a proxy, trusted or not, says that the client came over https. Good for a warning, and for nothing else. */
  readonly forwardedHttps?: boolean;
  /** Whether the browser says that a script of another site's page asks: of the answer it keeps no cookie but with SameSite=None. */
  readonly scriptOfOtherSite?: boolean;
  /** True where no response follows that could set a cookie: at a WebSocket handshake. */
  readonly unanswered?: boolean;
}

/** Who is logged in. */
export interface Visitor {
  readonly userId: string;
  /** How long ago the login was, in milliseconds. */
  readonly loginAge: number;
}

/**
 * One request's hold on one session: which record it is, what was read, what became of it. Pure state; `commit.ts` and
 * `lifecycle.ts` move it, `bag.ts` shows it to handlers.
 *
 * - fresh: `record` is null. Nothing is stored until something is put in.
 * - live: `record` is what the store holds, as far as we know.
 * - closed: another request ended or replaced the session. Nothing more is stored, and no cookie is sent.
 * - unavailable: the session could not be read, and the request goes on without. Whatever would change it fails.
 */
export class SessionState {
  readonly core: Core;
  readonly facts: RequestFacts;
  /** The id, where this request knows it: it was presented, or made here. The store knows only its hash. */
  id: string | null = null;
  /** The record's key in the store: the SHA-256 of the id. */
  key: string | null = null;
  record: SessionRecord | null = null;
  /** The JSON text that `bag` was made from or last saved as: what is compared, and the base of a merge. */
  base = '{}';
  /** What was last sent to the store, whether or not its answer came; `null` where `base` is later. */
  sent: { readonly version: number; readonly text: string } | null = null;
  /** What handlers hold, made when first asked for. */
  bag: object | null = null;
  /** What the bag held when it was made. */
  snapshot: Snapshot | null = null;
  /** Whether somebody has changed the bag from before this session began again. */
  changedBefore: (() => boolean) | null = null;
  isNew = true;
  closed = false;
  /** Something was put into the session after another request had ended or replaced it, and is not kept. */
  dropped = false;
  /**
   * The key of the session whose data could not be understood. It counts as absent, and ends where the visitor logs in or out: with
   * another `maxDataSize`, say, it might be understood again.
   */
  damaged: string | null = null;
  /** Why the session could not be read; `null` where it was, or there is none. */
  readFailure: unknown = null;
  /** The operations of this request that are not done yet, in their order. */
  underWay: readonly Promise<unknown>[] = NONE_UNDER_WAY;
  /** The error of a call that nobody awaits: the response will fail with it. */
  untold: { readonly error: unknown } | null = null;
  /** A handler has looked at the session: the response varies by cookie. */
  accessed = false;
  /** `touch()` was called: mark as seen whatever the throttle says. */
  touchAsked = false;
  /** The cookie was signed with an older key: it is to be set again, once it is certain that no other request has replaced its id. */
  renewal = false;
  /** Others hold the id too, or the one it replaced, and may log in: its cookie goes out once it is certain that none has. */
  contested = false;
  /** What the response has to do to the browser's cookie. */
  cookieDuty: 'leave' | 'set' | 'clear' = 'leave';
  /** The head of the response has left, and with it the last cookie that this request can give. */
  headLeft = false;

  constructor(core: Core, facts: RequestFacts) {
    this.core = core;
    this.facts = facts;
  }

  /** To be called before anything that gives the browser another id. @throws MadeleineError `ERR_NO_RESPONSE`, `ERR_HEADERS_SENT` */
  needCookie(): void {
    if (this.facts.unanswered) throw noResponse();
    if (this.headLeft) throw headLeft();
  }

  /** Holds the session that `record` is, under this key. @param id `null` where it is not known: under the same key it stays as it was */
  hold(key: string, record: SessionRecord, id: string | null): void {
    this.id = id ?? (key === this.key ? this.id : null);
    this.renewal &&= key === this.key;
    this.contested &&= key === this.key;
    this.key = key;
    this.record = record;
    this.isNew = false;
    this.closed = false;
    this.dropped = false;
  }

  /** Goes on with the record as a write left it. A cookie that the browser keeps for as long as the session lives is renewed. */
  follow(record: SessionRecord): void {
    const extended = record.expiresAt > (this.record?.expiresAt ?? 0);
    if (this.renewal || (extended && this.core.cookie.persistent && this.id !== null)) this.renewCookie();
    this.renewal = false;
    this.record = record;
  }

  /** Owes the browser the cookie of an id that others hold too. */
  renewCookie(): void {
    this.cookieDuty = 'set';
    this.contested = true;
  }

  /** The bag shows what is stored, this text: what the handler changes from now on is put to that, and no more to what was sent before. */
  show(stored: string): void {
    this.base = stored;
    this.sent = null;
  }

  /** Begins again with nothing stored, no id and no data; the bag handed out before keeps what it had and counts no more. */
  startOver(): void {
    this.id = null;
    this.key = null;
    this.record = null;
    this.base = '{}';
    if (this.bag !== null) this.changedBefore = leftBehind(this.bag);
    this.bag = null;
    this.isNew = true;
    this.closed = false;
    this.dropped = false;
    this.damaged = null;
    this.renewal = false;
    this.contested = false;
  }

  /**
   * Keeps an error for the response to fail with. Where no response is to come, an event tells of it, unless somebody has heard of it
   * by then: `await` asks a turn later than the error may be there.
   */
  keepFailure(error: unknown, heard: () => boolean): void {
    if (!this.facts.unanswered) this.untold ??= { error };
    else setImmediate(() => heard() || this.core.events.emit('failed', null, { error }));
  }

  forgetFailure(error: unknown): void {
    if (this.untold?.error === error) this.untold = null;
  }

  /** @throws what failed and was awaited by nobody, once */
  tellFailure(): void {
    const { untold } = this;
    this.untold = null;
    if (untold !== null) throw untold.error;
  }

  /** The session ended elsewhere while this request was under way. */
  close(): void {
    this.closed = true;
    this.record = null;
    this.cookieDuty = 'leave';
  }

  /** The id, made now if the session has none yet. */
  ensureId(): string {
    if (this.id === null && this.record === null) {
      this.id = randomToken();
      this.key = sha256(this.id);
    }
    return this.id ?? '';
  }

  /** A first record for the data, for this moment and this client. */
  newRecord(data: string, login?: { userId: string; remember: boolean }): SessionRecord {
    const now = this.core.clock();
    const times = {
      createdAt: now,
      authenticatedAt: login ? now : null,
      lastSeenAt: now,
      remember: login?.remember ?? false,
    };
    return {
      data,
      version: nextVersion(0),
      userId: login?.userId ?? null,
      ...times,
      expiresAt: endOf(times, this.core.policy),
      device: this.facts.device(),
      successor: null,
    };
  }
}

function noResponse(): MadeleineError {
  return new MadeleineError(
    'ERR_NO_RESPONSE',
    'A session was begun, or given another id, where there is no response that could carry its cookie.',
    'Begin sessions, log in and rotate ids in an ordinary request, before the page opens its WebSocket.',
  );
}

function headLeft(): MadeleineError {
  return new MadeleineError(
    'ERR_HEADERS_SENT',
    'A session was begun, or given another id, after the head of the response had left, so that its cookie could reach nobody.',
    'Begin sessions, log in and rotate ids before the first byte of the response.',
  );
}
