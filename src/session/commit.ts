/** Saves what a request did to its session, without losing what others did meanwhile. */
import { randomToken, sha256 } from '../crypto/token.ts';
import type { JsonObject } from '../json.ts';
import { type MaybePromise, orElse, whenReady } from '../maybe-promise.ts';
import type { Warn } from '../warnings.ts';
import type { Applied } from './commit-queue.ts';
import { checkSize, parseData, stringifyData } from './data.ts';
import { type MergeRules, mergeData } from './merge.ts';
import { idTaken, storeNew } from './new-record.ts';
import { markSeen } from './policy.ts';
import type { SessionRecord } from './record.ts';
import { changedKeys, changeSnapshot, type Snapshot } from './snapshot.ts';
import type { SessionState } from './state.ts';
import { followRotation, stillLive } from './succession.ts';

const MOST_COLLISIONS = 3;

type Join = (stored: SessionRecord) => string;

const OLD_SESSION =
  'Something was put into a session after regenerate(), logout() or destroy(), by a reference from before, and is not kept: ' +
  "the session is another object since. Ask for it again: req.session, ctx.session, c.get('session'), of(request).";

/**
 * Saves what changed since the session was opened or last saved; marks it as seen if that is due; else does nothing.
 *
 * @throws MadeleineError when the data cannot be kept (`ERR_DATA_NOT_JSON`, `ERR_DATA_TOO_LARGE`), the store fails or does
 * not answer (`ERR_STORE_FAILED`, `ERR_STORE_TIMEOUT`), or others change the session without end (`ERR_CONFLICT`)
 */
export function commit(state: SessionState): MaybePromise<void> {
  if (state.changedBefore?.()) state.core.warn('MADELEINE_OLD_SESSION', OLD_SESSION);
  const content = contentOf(state, state.core.maxDataSize);
  if (typeof content !== 'string') return saveText(state, content.text, content);
  return content === state.base ? touchIfDue(state) : saveText(state, content);
}

/** Saves this text, which differs from the state's base, as what the session holds. @param made what it says, where that is known */
export function saveText(state: SessionState, mine: string, made: Snapshot | null = null): MaybePromise<void> {
  if (state.readFailure !== null) throw state.readFailure;
  if (state.closed) return drop(state, mine);
  return state.record === null ? createRecord(state, mine, 1) : saveChange(state, mine, made);
}

/** The JSON text of what the bag holds now; the state's base where nothing changed. @throws MadeleineError as `stringifyData` does */
export function textOf(state: SessionState, limit: number): string {
  const content = contentOf(state, limit);
  return typeof content === 'string' ? content : content.text;
}

/** The same, with what the text says where that is known without reading it. */
function contentOf({ core, bag, base, snapshot }: SessionState, limit: number): string | Snapshot {
  if (bag === null || (base === '{}' && isEmpty(bag))) return base;
  // Seen without a text having to be made; if not, it may be the same all the same.
  const changed = snapshot === null || snapshot.text !== base ? null : changedKeys(snapshot, bag);
  if (changed?.length === 0) return base;
  // One that is counted up, a theme that is chosen: what else there is need not be walked, nor its text made again.
  const made = snapshot && changed && changeSnapshot(snapshot, bag, changed);
  if (made === null) {
    const text = stringifyData(bag, base, limit);
    if (text !== base) warnOfNames(bag, core.warn);
    return text;
  }
  checkSize(made.text, limit);
  return made;
}

/** Where such a key is not set there is what is ours: who only asks whether it is there lets everybody pass. */
function warnOfNames(bag: object, warn: Warn): void {
  const ours = Object.getPrototypeOf(bag);
  const name = Object.keys(bag).find(key => Object.hasOwn(ours, key));
  if (name === undefined) return;
  warn(
    'MADELEINE_NAME',
    `Session data has the key "${name}", which is a name that every session has: where it is not set, session.${name} is ours, and counts as true. Give the key another name.`,
  );
}

function isEmpty(bag: object): boolean {
  for (const key in bag) if (Object.hasOwn(bag, key)) return false;
  return true;
}

/** Whether the bag holds something that has not been saved. */
export function hasChanges(state: SessionState): boolean {
  return textOf(state, Number.POSITIVE_INFINITY) !== state.base;
}

function createRecord(state: SessionState, mine: string, attempt: number): MaybePromise<void> {
  const { core } = state;
  state.needCookie();
  state.ensureId();
  const key = state.key as string;
  const record = state.newRecord(mine);
  return whenReady(storeNew(core, key, record), created => {
    if (!created) {
      if (attempt >= MOST_COLLISIONS) throw idTaken();
      state.id = randomToken();
      state.key = sha256(state.id);
      return createRecord(state, mine, attempt + 1);
    }
    state.record = record;
    state.base = mine;
    state.cookieDuty = 'set';
    core.events.emit('created', key, {});
  });
}

function saveChange(state: SessionState, mine: string, made: Snapshot | null): MaybePromise<void> {
  const { core } = state;
  const key = state.key as string;
  const record = state.record as SessionRecord;
  const join = joining(state, mine);
  const change = (stored: SessionRecord, version: number) => {
    const next = core.advance(stored, join(stored), version, state.touchAsked);
    state.sent = { version: next.version, text: mine };
    return next;
  };
  return whenReady(core.queue.apply(key, record, change), applied => settle(state, applied, mine, made));
}

/** Puts what this request changed to what is stored: a write of its own whose answer was lost holds that up to then already. */
export function joining({ core, base, sent }: SessionState, mine: string): Join {
  return stored => core.join(sent !== null && sent.version === stored.version ? sent.text : base, mine, stored.data);
}

function settle(state: SessionState, applied: Applied, mine: string, made: Snapshot | null): MaybePromise<void> {
  if (applied === null) return drop(state, mine);
  if (applied.successor !== null) {
    return whenReady(followRotation(state, applied), found =>
      found ? saveChange(state, mine, made) : drop(state, mine),
    );
  }
  state.follow(applied);
  state.base = mine;
  if (made === null) return;
  state.snapshot = made;
  if (applied.data === mine) state.core.parsed.follow(state.key as string, applied.version, made);
}

/** What a request wants of a session that ended meanwhile is dropped: it is not ours to bring back. */
function drop(state: SessionState, mine: string): void {
  const { core, key } = state;
  state.close();
  state.dropped = true;
  state.base = mine; // done with: it is no change that is still to be saved
  if (key !== null) core.events.emit('dropped', key, {});
}

function touchIfDue(state: SessionState): MaybePromise<void> {
  if (!state.touchAsked || !state.headLeft) return touch(state);
  // A stream or a WebSocket may last for hours, and the id may have been rotated since: a touch would find its tombstone.
  return whenReady(stillLive(state), live => (live ? touch(state) : state.close()));
}

function touch(state: SessionState): MaybePromise<void> {
  const { core, key, record } = state;
  if (record === null || key === null) return;
  const owed = state.renewal || (state.contested && state.cookieDuty === 'set' && !state.headLeft);
  const seen = markSeen(core.clock(), record, core.policy, state.touchAsked);
  if (seen === record) return owed ? remakeCookie(state, key, record) : undefined;
  return whenReady(core.store.touch(key, seen.lastSeenAt, seen.expiresAt), found => {
    state.touchAsked = false;
    if (!found) return state.close();
    state.record = seen;
    if (owed || (core.cookie.persistent && state.id !== null)) return remakeCookie(state, key, seen);
  });
}

/** Unless a tombstone stands there, which can be touched too: the cookie of an id that was given up must not come after that of the next. */
function remakeCookie(state: SessionState, key: string, record: SessionRecord): MaybePromise<void> {
  const look = () => state.core.store.read(key);
  // Of an id that was rotated the browser has to learn: without an answer, it counts as standing.
  const unanswered = (error: unknown) => {
    if (state.cookieDuty !== 'set') throw error;
    return record;
  };
  return whenReady(orElse(look, unanswered), stored => {
    state.renewal = false;
    if (stored !== null && stored.successor === null) state.renewCookie();
    else state.cookieDuty = 'leave';
  });
}

/**
 * The stored text with my changes: mine as it is when nobody wrote meanwhile, else the merge of both.
 *
 * @throws MadeleineError when a rule makes what cannot be kept, or both together are more than `limit` bytes
 */
export function mergeText(base: string, mine: string, stored: string, rules: MergeRules, limit: number): string {
  if (stored === base) return mine;
  // Two that did the same are no less two: both put tea into the cart.
  if (mine === base) return stored;
  const [a, b, c] = [base, mine, stored].map(text => parseData(text) ?? {}) as [JsonObject, JsonObject, JsonObject];
  return stringifyData(mergeData(a, b, c, rules), stored, limit);
}
