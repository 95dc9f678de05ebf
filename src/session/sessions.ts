/** The framework-free core that every adapter wraps: opens the session of a request, lists, revokes and prunes. */
import { createHmac, randomBytes } from 'node:crypto';
import { type MaybePromise, whenReady } from '../maybe-promise.ts';
import { createWarnings } from '../warnings.ts';
import { bagOf, type Session } from './bag.ts';
import { commit, hasChanges, mergeText } from './commit.ts';
import { CommitQueue } from './commit-queue.ts';
import { EventHub, type SessionEvents, type SessionListener } from './events.ts';
import { type GuardedStore, guardStore } from './guarded-store.ts';
import { afterAll } from './in-order.ts';
import { forget } from './new-record.ts';
import { checkSessionsOptions, type SessionsOptions } from './options.ts';
import { endOf, isLive } from './policy.ts';
import { startPruning } from './prune.ts';
import { type Device, isSessionRecord, nextVersion, type SessionRecord } from './record.ts';
import { createSessionCookie, type PresentedId } from './session-cookie.ts';
import type { SessionData } from './session-data.ts';
import { type Core, type RequestFacts, SessionState } from './state.ts';
import { endSession } from './succession.ts';
import { inGrace, LONGEST_CHAIN, tombstoneReason } from './tombstone.ts';
import { type EndTurn, Turns } from './turns.ts';
import { type Look, orAnonymous } from './unavailable.ts';

/** One request's session, from open to Set-Cookie. */
export interface OpenSession<Data extends object = SessionData> {
  /** What handlers hold. Asking for it counts as looking at the session. */
  readonly session: Session<Data>;
  /** True once `session` was asked for: the response then varies by cookie. */
  readonly accessed: boolean;
  /** True while the session holds something that has not been saved. */
  readonly changed: boolean;
  /** Saves what changed, or marks the session as seen if that is due. */
  commit(): MaybePromise<void>;
  /** The Set-Cookie line that the response owes, after `commit`; `null` for none. */
  setCookie(): { name: string; line: string } | null;
  /** True when nothing is stored yet: a commit now would begin a session whose cookie has to reach the client. */
  readonly unstored: boolean;
  /** True when the session could not be read and the request goes on without: `onStoreError: 'anonymous'`. */
  readonly unavailable: boolean;
  /** With `concurrency: 'serialize'`: to be called when the response is over, whatever became of it. */
  readonly endTurn: (() => void) | null;
}

/** A session in a list: enough to recognise a device and to end its session, nothing that opens it. */
export interface SessionSummary {
  /** For `revoke`. */
  handle: string;
  createdAt: Date;
  authenticatedAt: Date | null;
  lastSeenAt: Date;
  expiresAt: Date;
  remember: boolean;
  device: Device | null;
}

export interface Sessions<Data extends object = SessionData> {
  /** The session of a request with this Cookie field. At once with a synchronous store. */
  open(cookieHeader: string | undefined, facts: RequestFacts): MaybePromise<OpenSession<Data>>;
  /** The cookie's name on a connection of this kind; `null` where no session cookie may be set. */
  cookieName(secure: boolean): string | null;
  /** The live sessions of a user, latest first. */
  list(userId: string | number): Promise<SessionSummary[]>;
  /** Ends one session, by its handle. `false`: there was none. Check that it is the user's own, by `list`. */
  revoke(handle: string): Promise<boolean>;
  /** Ends all sessions of a user, save the one with the handle `except`; says how many. */
  revokeAll(userId: string | number, options?: { except?: string | null }): Promise<number>;
  /** Deletes what has expired, in small batches; says how much. Runs by itself from time to time. */
  prune(): Promise<number>;
  /** Calls `listener` at each such event; returns a function that ends this. */
  on<Name extends keyof SessionEvents>(name: Name, listener: SessionListener<Name>): () => void;
  /** Tells the listeners that a save failed where no response could say so. */
  reportFailure(error: unknown): void;
  /** Warns the developer, once for each code and never in production. */
  warn(code: string, message: string): void;
  /** Ends pruning and closes the store. */
  close(): Promise<void>;
}

const HANDLE = /^[\w-]{43}$/;

/** @throws MadeleineError for wrong options, before the first request */
export function createSessions<Data extends object = SessionData>(options: SessionsOptions<Data>): Sessions<Data> {
  const checked = checkSessionsOptions(options);
  const { policy, clock, maxDataSize, merge, concurrency, storeTimeout } = checked;
  const turns = concurrency === 'serialize' ? new Turns(storeTimeout) : null;
  const store: GuardedStore = guardStore(options.store, storeTimeout);
  const events = new EventHub();
  const cookie = createSessionCookie(options.secret, checked.name, checked.cookie, events);
  const tagKey = randomBytes(32);
  const look = checked.onStoreError === 'anonymous' ? orAnonymous(find) : find;
  const advance = (record: SessionRecord, data: string): SessionRecord => {
    const next = {
      ...record,
      data,
      version: nextVersion(record.version),
      lastSeenAt: Math.max(clock(), record.lastSeenAt),
    };
    next.expiresAt = Math.max(endOf(next, policy), record.expiresAt);
    return next;
  };
  const warn = createWarnings();
  const core: Core = {
    ...{ store, policy, clock, cookie, events, maxDataSize, storeTimeout, warn },
    join: (base, mine, stored) =>
      concurrency === 'last-write-wins' ? mine : mergeText(base, mine, stored, merge, maxDataSize),
    queue: new CommitQueue(store, advance),
    tag: key => createHmac('sha256', tagKey).update(key).digest('base64url').slice(0, 12),
  };
  const pruning = store.hasAdmin ? startPruning(store, clock, error => events.emit('failed', () => ({ error }))) : null;

  return {
    open(cookieHeader, facts) {
      const opened = new Opened(core, facts);
      const presented = cookie.read(cookieHeader, facts);
      if (presented === null) return opened as OpenSession<object> as OpenSession<Data>;
      if (turns) {
        return whenReady(turns.take(presented.key), endTurn => {
          opened.endTurn = endTurn;
          return openInTurn(() => openPresented<Data>(opened, presented, look), endTurn);
        });
      }
      return openPresented<Data>(opened, presented, look);
    },
    cookieName: secure => cookie.name(secure),
    async list(userId) {
      const now = clock();
      const records = await store.admin('byUser', admin => admin.byUser(String(userId)));
      return records
        .filter(([, record]) => record.successor === null && isLive(record, now, policy))
        .sort(([, a], [, b]) => b.lastSeenAt - a.lastSeenAt)
        .map(([handle, record]) => summary(handle, record));
    },
    async revoke(handle) {
      return typeof handle === 'string' && HANDLE.test(handle) && endSession(core, handle);
    },
    async revokeAll(userId, { except } = {}) {
      return store.admin('deleteByUser', admin => admin.deleteByUser(String(userId), except ?? undefined));
    },
    async prune() {
      return pruning ? pruning.run() : 0;
    },
    on: (name, listener) => events.on(name, listener),
    reportFailure: error => events.emit('failed', () => ({ error })),
    warn,
    async close() {
      pruning?.stop();
      await store.close();
    },
  };
}

/** A request that fails before it has a session has had its turn. */
async function openInTurn<T>(open: () => MaybePromise<T>, endTurn: EndTurn): Promise<T> {
  try {
    return await open();
  } catch (error) {
    endTurn();
    throw error;
  }
}

/** Opens the session that the cookie named. */
function openPresented<Data extends object>(
  opened: Opened,
  { key, id, renew }: PresentedId,
  look: Look,
): MaybePromise<OpenSession<Data>> {
  return whenReady(look(opened, key, id), () => {
    if (renew && opened.record !== null && opened.id !== null) opened.cookieDuty = 'set';
    return opened as OpenSession<object> as OpenSession<Data>;
  });
}

class Opened extends SessionState implements OpenSession<object> {
  endTurn: EndTurn | null = null;

  get session(): Session<object> {
    return bagOf(this) as Session<object>;
  }
  get changed(): boolean {
    return hasChanges(this);
  }
  get unstored(): boolean {
    return this.record === null && !this.closed && this.readFailure === null;
  }
  get unavailable(): boolean {
    return this.readFailure !== null;
  }
  commit(): MaybePromise<void> {
    return afterAll(this, commit);
  }
  setCookie(): { name: string; line: string } | null {
    return this.cookieLine();
  }
}

/** Looks the session up and holds it if it counts; otherwise the state stays fresh, as for a visitor without a cookie. */
function find(state: SessionState, key: string, id: string | null, step = 0): MaybePromise<void> {
  const { core } = state;
  return whenReady(core.store.read(key), record => {
    if (record === null) return core.events.emit('unknown', () => ({ tag: core.tag(key) }));
    if (!isSessionRecord(record)) return core.events.emit('poison', () => ({ tag: core.tag(key) }));
    const now = core.clock();
    if (record.successor !== null) return findSuccessor(state, key, record, now, step);
    if (!isLive(record, now, core.policy)) {
      core.events.emit('expired', () => ({ tag: core.tag(key) }));
      return forget(core, key);
    }
    state.hold(key, record, id);
    state.base = record.data;
  });
}

function findSuccessor(
  state: SessionState,
  key: string,
  stone: SessionRecord,
  now: number,
  step: number,
): MaybePromise<void> {
  const { core } = state;
  const reason = tombstoneReason(stone);
  if (reason === 'ended') return; // a logout that could not be finished, but is one
  const rotated = reason === 'rotated';
  if (inGrace(stone, now, core.policy)) {
    if (rotated && step < LONGEST_CHAIN) return find(state, stone.successor as string, null, step + 1);
    // Sent before the browser had the login's new cookie: it gets nothing of the new session, and must not disturb it.
    return state.close();
  }
  if (rotated && stone.expiresAt > now) {
    core.events.emit('reused', () => ({ tag: core.tag(key) }));
    return whenReady(endSession(core, key), () => undefined);
  }
}

function summary(handle: string, record: SessionRecord): SessionSummary {
  return {
    handle,
    createdAt: new Date(record.createdAt),
    authenticatedAt: record.authenticatedAt === null ? null : new Date(record.authenticatedAt),
    lastSeenAt: new Date(record.lastSeenAt),
    expiresAt: new Date(record.expiresAt),
    remember: record.remember,
    device: record.device,
  };
}
