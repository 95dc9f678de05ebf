import type { MaybePromise } from '../maybe-promise.ts';
import { bagOf, type Session } from './bag.ts';
import type { CarriedRecords, RecordsHolder } from './carried-store.ts';
import { commit, hasChanges } from './commit.ts';
import type { Core } from './core.ts';
import { afterAll, inOrder } from './in-order.ts';
import { owedCookies } from './owed-cookies.ts';
import type { SetCookie } from './session-cookie.ts';
import type { SessionData } from './session-data.ts';
import { type RequestFacts, SessionState, type Visitor } from './state.ts';
import { stillLive } from './succession.ts';
import type { EndTurn } from './turns.ts';

/** One request's session, from open to Set-Cookie. */
export interface OpenSession<Data extends object = SessionData> {
  /** What handlers hold. Asking for it counts as looking at the session. */
  readonly session: Session<Data>;
  /** True once `session` was asked for: the response then varies by cookie. */
  readonly accessed: boolean;
  /** Who is logged in; `null` for an anonymous visitor. Asking counts as looking at the session. */
  visitor(): Visitor | null;
  /** The id in the cookie, made now if there is none yet. Asking counts as looking at the session. */
  identify(): string;
  /** True while the session holds something that has not been saved. */
  readonly changed: boolean;
  /** True when a call on the session (`login()`, say) has failed that nobody awaits: `commit` throws its error. */
  readonly failed: boolean;
  /** The call on the session that is under way, awaited or not; `null`: none. While there is one, `changed` and `unstored` say nothing. */
  readonly busy: Promise<unknown> | null;
  /** Saves what changed, or marks the session as seen if that is due; once all calls under way are done. */
  commit(): MaybePromise<void>;
  /**
   * The Set-Cookie lines for the response: none, one, or several where the session travels in cookies. To be called once, after
   * `commit`, as the head leaves.
   */
  setCookies(): readonly SetCookie[];
  /** No head is to carry a cookie of this session any more: what needs one is refused from now on, with `ERR_HEADERS_SENT`. */
  closeHead(): void;
  /** True when nothing is stored yet: a commit now would begin a session whose cookie has to reach the client. */
  readonly unstored: boolean;
  /** True when the session could not be read and the request goes on without: `onStoreError: 'anonymous'`. */
  readonly unavailable: boolean;
  /** Whether the session has neither ended nor expired since it was opened, as the store knows now. */
  stillLive(): MaybePromise<boolean>;
  /** With `concurrency: 'serialize'`: to be called when the response is over, whatever became of it. */
  readonly endTurn: (() => void) | null;
}

export class Opened extends SessionState implements OpenSession<object> {
  endTurn: EndTurn | null = null;

  get session(): Session<object> {
    return bagOf(this) as Session<object>;
  }
  visitor(): Visitor | null {
    // What is damaged is nobody's, to a guard as to the handler behind it; and whoever asks will answer by it.
    bagOf(this);
    const { record, core } = this;
    if (record === null || record.userId === null) return null;
    return { userId: record.userId, loginAge: core.clock() - (record.authenticatedAt ?? record.createdAt) };
  }
  identify(): string {
    this.accessed = true;
    return this.ensureId();
  }
  get changed(): boolean {
    return hasChanges(this);
  }
  get failed(): boolean {
    return this.untold !== null;
  }
  get unstored(): boolean {
    return this.record === null && !this.closed && this.readFailure === null;
  }
  get unavailable(): boolean {
    return this.readFailure !== null;
  }
  get busy(): Promise<unknown> | null {
    return this.underWay.at(-1) ?? null;
  }
  commit(): MaybePromise<void> {
    return afterAll(this, commit);
  }
  setCookies(): readonly SetCookie[] {
    this.closeHead();
    return owedCookies(this);
  }
  closeHead(): void {
    this.headLeft = true;
  }
  stillLive(): MaybePromise<boolean> {
    return inOrder(this, stillLive);
  }
}

/** The same where the session travels in the request's cookies: each change has to be in the head of the response. */
export class CarriedOpened extends Opened implements RecordsHolder {
  readonly #records: CarriedRecords;

  constructor(core: Core, facts: RequestFacts, records: CarriedRecords) {
    super(core, facts);
    this.#records = records;
    records.holder = this;
  }

  recordChanged(): void {
    this.cookieDuty = 'set';
    // An id that came with the request others hold too, and may give up before the head leaves.
    this.contested = !this.isNew;
  }

  override closeHead(): void {
    super.closeHead();
    this.#records.headLeaves();
  }
}
