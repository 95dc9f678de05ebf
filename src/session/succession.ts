/** How a session's id gives way to another, or to none: by a tombstone, set by compare-and-set, that nothing can slip past. */
import { randomToken, sha256 } from '../crypto/token.ts';
import { MadeleineError } from '../errors.ts';
import { type MaybePromise, whenReady } from '../maybe-promise.ts';
import type { Core } from './core.ts';
import { forget, idTaken, storeNew } from './new-record.ts';
import { isLive } from './policy.ts';
import { isSameWrite, isSessionRecord, nextVersion, type SessionRecord } from './record.ts';
import type { SessionState } from './state.ts';
import { rotatedTo, type TombstoneReason, tombstone, tombstoneReason } from './tombstone.ts';

/** What others wrote up to the moment when the id was given up, as it goes into the new record. */
type Fold = (theirs: SessionRecord) => string;

/**
 * Puts `record` under a fresh id and a tombstone where the session was; whoever writes later finds the tombstone. `false`:
 * the session had ended meanwhile, and what it held has not come along.
 */
export async function succeed(
  state: SessionState,
  record: SessionRecord,
  reason: 'rotated' | 'replaced',
  fold: Fold,
): Promise<boolean> {
  const { core, cookieDuty } = state;
  state.needCookie();
  const id = randomToken();
  const key = sha256(id);
  try {
    // The new record first: should the server stop in between, the old session is still whole.
    if (await storeNew(core, key, record)) return await takeOver(state, id, key, record, reason, fold);
  } catch (error) {
    forget(core, key);
    // Where the session travels in cookies, the new record has asked for one: with the old id it could come after a newer one.
    if (!state.closed) state.cookieDuty = cookieDuty;
    throw error;
  }
  throw idTaken();
}

async function takeOver(
  state: SessionState,
  id: string,
  key: string,
  record: SessionRecord,
  reason: 'rotated' | 'replaced',
  fold: Fold,
): Promise<boolean> {
  const { core } = state;
  let placed = record;
  const place = async (data: string) => {
    const next = { ...placed, data, version: nextVersion(placed.version) };
    const replaced = await core.store.replace(key, next, placed.version);
    if (!replaced.ok && !isSameWrite(replaced.current, next)) throw sessionEnded('give it a new id');
    placed = next;
  };

  let kept = true;
  if (state.key !== null && state.record !== null) {
    const bury = reason === 'rotated' ? buryHere : buryEverywhere;
    const onConflict = (theirs: SessionRecord) => place(fold(theirs));
    const stone = await bury(core, state.key, state.record, { reason, successor: key, onConflict });
    if (reason === 'rotated' && stone?.successor !== key) return followFirst(state, key, stone);
    kept = stone !== null && tombstoneReason(stone) !== 'ended';
    if (!kept) await place('{}');
  }
  state.hold(key, placed, id);
  state.cookieDuty = 'set';
  return kept;
}

/** A rotation that comes second follows the first; one that finds the session ended brings nothing back. */
async function followFirst(state: SessionState, ours: string, stone: SessionRecord | null): Promise<boolean> {
  if (stone !== null && (await followRotation(state, stone))) {
    await state.core.store.delete(ours);
    return true;
  }
  state.close();
  throw sessionEnded('rotate its id');
}

/** Where the id was rotated under us: goes on with the same session under its new key. Another request's new id we never learn. */
export function followRotation(state: SessionState, stone: SessionRecord): MaybePromise<boolean> {
  const { core } = state;
  return whenReady(rotatedTo(core.store, stone), found => {
    if (found === null || found.record.successor !== null) return false;
    if (!isLive(found.record, core.clock(), core.policy)) return false;
    state.hold(found.key, found.record, null);
    if (state.id === null) state.cookieDuty = 'leave';
    return true;
  });
}

/**
 * Whether the session has neither ended nor expired since, as the store knows; a rotated one lives on. `false` where nothing is stored.
 * Of one that lives, the state holds the record as it is now.
 */
export function stillLive(state: SessionState): MaybePromise<boolean> {
  const { core, key, record } = state;
  if (key === null || record === null) return false;
  return whenReady(core.store.read(key), stored => {
    if (!isSessionRecord(stored)) return false;
    if (stored.successor !== null) return followRotation(state, stored);
    const live = isLive(stored, core.clock(), core.policy);
    if (live) state.record = stored;
    return live;
  });
}

/** The key under which this session is now, wherever rotations have taken it. */
export async function currentKey(core: Core, key: string): Promise<string> {
  const record = await core.store.read(key);
  const found = record === null ? null : await rotatedTo(core.store, record);
  return found?.key ?? key;
}

/** Why and in favour of which key an id is given up; `onConflict` sees every version that others wrote first. */
interface Burial {
  readonly reason: TombstoneReason;
  readonly successor: string;
  onConflict?(theirs: SessionRecord): Promise<void>;
}

/**
 * Puts a tombstone over the record. Answers with the tombstone that stands there in the end, ours or another's, or `null`
 * when the record is gone.
 *
 * In line with this process's own changes to the session: beside them it could lose to them for as long as they come.
 */
async function buryHere(
  core: Core,
  key: string,
  known: SessionRecord | null,
  burial: Burial,
): Promise<SessionRecord | null> {
  if (known === null || known.successor !== null) return known;
  const bury = (record: SessionRecord) => {
    const folded = record.version === known.version ? undefined : burial.onConflict?.(record);
    return whenReady(folded, () => tombstone(record, burial.successor, burial.reason, core.clock(), core.policy));
  };
  return core.queue.apply(key, known, bury, true);
}

/** The same wherever rotations have taken the session meanwhile. Of one that travels in a cookie the answer is what led to it. */
export async function buryEverywhere(
  core: Core,
  key: string,
  known: SessionRecord,
  burial: Burial,
): Promise<SessionRecord | null> {
  const passed = new Set<string>();
  let at = key;
  let found: SessionRecord | null = known;
  for (;;) {
    passed.add(at);
    const stone: SessionRecord | null = await buryHere(core, at, found, burial);
    const moved = stone !== null && stone.successor !== burial.successor && tombstoneReason(stone) === 'rotated';
    if (!moved || passed.has(stone.successor as string)) return stone;
    at = stone.successor as string;
    found = await core.store.read(at);
    if (found === null) {
      // It has ended, or travels in a cookie: then it is refused, unless it has been rotated once more by now.
      if (await core.store.delete(at)) return stone;
      found = await core.store.read(at);
    }
    if (found?.successor === null) await burial.onConflict?.(found);
  }
}

/**
 * Ends the session under this key, and the one that took its place if its id was rotated meanwhile. `false`: there was none,
 * or a login has taken its place, or it is the one under the key `spared`.
 *
 * It is marked as ended by compare-and-set before anything is deleted: a rotation at the same moment either has happened,
 * and is followed, or finds the mark and gives up; and no write under way finds its id gone while the session lives under
 * the next.
 */
export async function endSession(core: Core, key: string, spared?: string): Promise<boolean> {
  const { store } = core;
  const passed = new Set<string>();
  let ended = false;
  for (let at: string | null = key; at !== null && !passed.has(at); ) {
    if (at === spared) return false;
    let stone = await buryHere(core, at, await store.read(at), { reason: 'ended', successor: at });
    if (stone === null) {
      // There may be a session all the same, which travels in a cookie: to delete it is to refuse it. A rotation may have come before that.
      ended = await store.delete(at);
      if (ended) break;
      stone = await store.read(at);
    }
    const reason = stone === null ? null : tombstoneReason(stone);
    // What a login left has to stay, with what leads to it: it keeps late requests from disturbing the new cookie.
    if (reason === 'replaced') return false;
    passed.add(at);
    at = reason === 'rotated' ? (stone as SessionRecord).successor : null;
  }
  // The session before the tombstones that led to it: should the store fail in between, they still do.
  const way = [...passed].reverse();
  for (const at of way) if ((await store.delete(at)) && at === way[0]) ended = true;
  if (ended) core.events.emit('ended', key, {});
  return ended;
}

export function sessionEnded(wish: string): MadeleineError {
  return new MadeleineError(
    'ERR_SESSION_ENDED',
    `There is no stored session to ${wish}: it has ended or was never stored.`,
    'Let the client ask again; it will start with a new session.',
  );
}
