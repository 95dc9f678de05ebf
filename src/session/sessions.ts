/** The framework-free core that every adapter wraps: opens the session of a request, administers them all, prunes. */
import { warnOfCopies } from '../copies.ts';
import { type MaybePromise, whenReady } from '../maybe-promise.ts';
import { createWarnings, type Warn } from '../warnings.ts';
import { type Administration, administer } from './administration.ts';
import { type Carrier, isCarriedStore } from './carried-store.ts';
import { mergeText } from './commit.ts';
import { CommitQueue } from './commit-queue.ts';
import { EventHub, type SessionEvents, type SessionListener } from './events.ts';
import { type GuardedStore, guardStore } from './guarded-store.ts';
import { forget } from './new-record.ts';
import { CarriedOpened, Opened, type OpenSession } from './opened.ts';
import { checkSessionsOptions, type SessionsOptions } from './options.ts';
import { ParsedLately } from './parsed-lately.ts';
import { isAhead, isLive, markSeen } from './policy.ts';
import { startPruning } from './prune.ts';
import { isSessionRecord, type SessionRecord } from './record.ts';
import { createIdCookie, type PresentedId } from './session-cookie.ts';
import type { SessionData } from './session-data.ts';
import type { Core, RequestFacts, SessionState } from './state.ts';
import type { SessionStore } from './store.ts';
import { endSession } from './succession.ts';
import { inGrace, tombstoneReason } from './tombstone.ts';
import { Turns } from './turns.ts';
import { type Look, orAnonymous } from './unavailable.ts';

export interface Sessions<Data extends object = SessionData> extends Administration {
  /** The session of a request with this Cookie field. At once with a synchronous store. */
  open(cookieHeader: string | undefined, facts: RequestFacts): MaybePromise<OpenSession<Data>>;
  /** The cookie's name on a connection of this kind; `null` where no session cookie may be set. */
  cookieName(secure: boolean): string | null;
  /** Deletes what has expired, in small batches; says how much. Runs by itself from time to time. */
  prune(): Promise<number>;
  /** Calls `listener` at each such event; returns a function that ends this. @throws MadeleineError `ERR_OPTION_INVALID` */
  on<Name extends keyof SessionEvents>(name: Name, listener: SessionListener<Name>): () => void;
  /** Tells the listeners that a save failed where no response could say so. */
  reportFailure(error: unknown): void;
  /** Warns the developer, once for each code, and in production only where that is asked for. */
  readonly warn: Warn;
  /** Ends pruning and closes the store, also for others who were given the same one: close it once nobody needs it. */
  close(): Promise<void>;
}

/**
 * The core without a framework, for adapters: every `session()` is made of one. Expired sessions are pruned in the background from
 * now on, until `close()`.
 *
 * @throws MadeleineError for wrong options, before the first request
 */
export function createSessions<Data extends object = SessionData>(options: SessionsOptions<Data>): Sessions<Data> {
  const checked = checkSessionsOptions(options);
  const { policy, clock, maxDataSize, merge, concurrency, storeTimeout, onReuse } = checked;
  const turns = concurrency === 'serialize' ? new Turns(storeTimeout) : null;
  const events = new EventHub();
  const carrier = isCarriedStore(checked.store) ? checked.store.carry({ ...checked, events }) : null;
  const store: GuardedStore = carrier?.store ?? guardStore(checked.store as SessionStore, storeTimeout);
  const idCookie = carrier ? null : createIdCookie(checked.secret, checked.name, checked.cookie, events);
  const cookie = idCookie ?? (carrier as Carrier).cookie;
  const look = checked.onStoreError === 'anonymous' ? orAnonymous(find) : find;
  const advance = (record: SessionRecord, data: string, version: number, seen = false): SessionRecord => {
    if (data === record.data) return record;
    // A write moves the times no more often than a read does: in a database each move changes an index.
    return { ...markSeen(clock(), record, policy, seen), data, version };
  };
  const warn = createWarnings();
  warnOfCopies(warn);
  const core: Core = {
    ...{ store, policy, clock, cookie, events, maxDataSize, storeTimeout, onReuse, warn, advance },
    join: (base, mine, stored) =>
      concurrency === 'last-write-wins' ? mine : mergeText(base, mine, stored, merge, maxDataSize),
    queue: new CommitQueue(store),
    parsed: new ParsedLately(maxDataSize),
  };
  const pruning = store.hasAdmin ? startPruning(store, clock, error => events.emit('failed', null, { error })) : null;

  function open(cookieHeader: string | undefined, facts: RequestFacts): MaybePromise<Opened> {
    if (idCookie === null) return openCarried(core, carrier as Carrier, look, cookieHeader, facts);
    const opened = new Opened(core, facts);
    const presented = idCookie.read(cookieHeader, facts);
    if (presented === null) return opened;
    return turns ? openAfterTurn(turns, opened, presented, look) : openPresented(opened, presented, look);
  }

  return {
    ...administer(core),
    // The type of the data is the application's word; nothing here could check it.
    open: open as Sessions<object>['open'] as Sessions<Data>['open'],
    cookieName: secure => cookie.name(secure),
    async prune() {
      return pruning ? pruning.run() : 0;
    },
    on: (name, listener) => events.on(name, listener),
    reportFailure: error => events.emit('failed', null, { error }),
    warn,
    async close() {
      pruning?.stop();
      await store.close();
    },
  };
}

/** Opens the session once earlier requests with this cookie are over. If that fails, the next request may go at once. */
function openAfterTurn(turns: Turns, opened: Opened, presented: PresentedId, look: Look): MaybePromise<Opened> {
  return whenReady(turns.take(presented.key), async endTurn => {
    opened.endTurn = endTurn;
    try {
      return await openPresented(opened, presented, look);
    } catch (error) {
      endTurn();
      throw error;
    }
  });
}

/** Opens the session that the cookie named. */
function openPresented(opened: Opened, { key, id, renew }: PresentedId, look: Look): MaybePromise<Opened> {
  return whenReady(look(opened, key, id), () => {
    opened.renewal = renew && opened.record !== null && opened.id !== null;
    return opened;
  });
}

/** Opens the session that the cookies hold. The request gets a store, and so a core, of its own. */
function openCarried(
  core: Core,
  carrier: Carrier,
  look: Look,
  cookieHeader: string | undefined,
  facts: RequestFacts,
): MaybePromise<Opened> {
  const { store, cookie, presented } = carrier.receive(cookieHeader, facts);
  const own: Core = { ...core, store, cookie, queue: new CommitQueue(store) };
  const opened = new CarriedOpened(own, facts, store);
  return presented === null ? opened : openPresented(opened, presented, look);
}

/**
 * Looks the session up. The state holds it if it counts; otherwise it stays as it is for a visitor without a cookie.
 *
 * @param passed the keys whose tombstones led here
 */
function find(
  state: SessionState,
  key: string,
  id: string | null,
  passed: Set<string> | null = null,
): MaybePromise<void> {
  const { core } = state;
  return whenReady(core.store.read(key), record => {
    if (record === null) return core.events.emit('unknown', key, {});
    if (!isSessionRecord(record)) return core.events.emit('poison', key, {});
    const now = core.clock();
    if (record.successor !== null) return findSuccessor(state, key, record, now, passed ?? new Set());
    if (!isLive(record, now, core.policy)) {
      core.events.emit('expired', key, {});
      // If it is our clock that is behind, the session is good, and other servers still use it: so it is not deleted.
      return isAhead(record, now) ? undefined : forget(core, key);
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
  passed: Set<string>,
): MaybePromise<void> {
  const { core } = state;
  const reason = tombstoneReason(stone);
  if (reason === 'ended') return; // a logout that was interrupted before it could delete the record
  const rotated = reason === 'rotated';
  if (inGrace(stone, now, core.policy)) {
    // One that was passed already: a circle, which only spoilt data can make.
    if (rotated && !passed.has(key)) return find(state, stone.successor as string, null, passed.add(key));
    // Sent before the browser had the login's new cookie: it gets nothing of the new session, and must not disturb it.
    if (reason === 'replaced') state.replacedBy = stone.successor;
    return state.close();
  }
  if (rotated && stone.expiresAt > now) {
    core.events.emit('reused', key, {});
    if (core.onReuse === 'end') return whenReady(endSession(core, key), () => undefined);
  }
}
