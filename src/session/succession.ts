/** How a session's id gives way to another, or to none: by a tombstone, set by compare-and-set, that nothing can slip past. */
import { randomToken, sha256 } from '../crypto/token.ts';
import { MadeleineError } from '../errors.ts';
import { type MaybePromise, whenReady } from '../maybe-promise.ts';
import { isLive } from './policy.ts';
import type { SessionRecord } from './record.ts';
import type { Core, SessionState } from './state.ts';
import { LONGEST_CHAIN, type TombstoneReason, tombstone, tombstoneReason } from './tombstone.ts';

/**
 * Puts `record` under a fresh id and a tombstone where the session was. What others wrote up to that moment goes through
 * `fold` into the new record; whoever writes later finds the tombstone.
 */
export async function succeed(
  state: SessionState,
  record: SessionRecord,
  reason: 'rotated' | 'replaced',
  fold: (theirs: string) => string,
): Promise<void> {
  const { core } = state;
  const id = randomToken();
  const key = sha256(id);
  // The new record first: should the server stop in between, the old session is still whole.
  if (!(await core.store.create(key, record))) throw sessionEnded('give it a new id');
  let placed = record;
  const takeOver = async (theirs: SessionRecord) => {
    const next = { ...placed, data: fold(theirs.data), version: placed.version + 1 };
    const replaced = await core.store.replace(key, next, placed.version);
    if (replaced.ok) placed = next;
  };
  let at = state.record === null ? null : state.key;
  let found = state.record;
  for (let step = 0; at !== null && step < LONGEST_CHAIN; step++) {
    const stone = await bury(core, at, found, key, reason, takeOver);
    if (stone?.successor === key) break;
    // A rotation that comes second joins the first; one that finds the session ended brings nothing back.
    if (reason === 'rotated') return giveUp(state, key, stone);
    const next = stone !== null && tombstoneReason(stone) === 'rotated' ? stone.successor : null;
    const moved = next === null ? null : await core.store.read(next);
    if (moved !== null && moved.successor === null) await takeOver(moved);
    at = next;
    found = moved;
  }
  state.hold(key, placed, id);
  state.cookieDuty = 'set';
}

async function giveUp(state: SessionState, ours: string, stone: SessionRecord | null): Promise<void> {
  await state.core.store.delete(ours);
  const moved = stone && (await liveSuccessor(state.core, stone));
  if (!moved) {
    state.close();
    throw sessionEnded('rotate its id');
  }
  state.hold(moved.key, moved.record, null);
}

/** Where the session goes on whose id was rotated, once or several times. `null`: nowhere. */
export function liveSuccessor(
  core: Core,
  stone: SessionRecord,
  step = 0,
): MaybePromise<{ key: string; record: SessionRecord } | null> {
  const key = tombstoneReason(stone) === 'rotated' ? stone.successor : null;
  if (key === null || step >= LONGEST_CHAIN) return null;
  return whenReady(core.store.read(key), record => {
    if (record === null) return null;
    if (record.successor !== null) return liveSuccessor(core, record, step + 1);
    return isLive(record, core.clock(), core.policy) ? { key, record } : null;
  });
}

/**
 * Puts a tombstone over the record; `onConflict` sees every version that others wrote first. Answers with the tombstone that
 * stands there in the end, ours or another's, or `null` when the record is gone.
 */
export async function bury(
  core: Core,
  key: string,
  known: SessionRecord | null,
  successor: string,
  reason: TombstoneReason,
  onConflict?: (theirs: SessionRecord) => Promise<void>,
): Promise<SessionRecord | null> {
  let record = known;
  while (record !== null && record.successor === null) {
    const stone = tombstone(record, successor, reason, core.clock(), core.policy);
    const replaced = await core.store.replace(key, stone, record.version);
    if (replaced.ok) return stone;
    record = replaced.current;
    if (record !== null && record.successor === null) await onConflict?.(record);
  }
  return record;
}

/**
 * Ends the session under this key, and the one that took its place if its id was rotated meanwhile.
 *
 * It is marked as ended by compare-and-set before anything is deleted: a rotation at the same moment either has happened, and
 * is followed, or finds the mark, and gives up; and no write under way finds its id gone while the session lives under the next.
 */
export async function endSession(core: Core, key: string): Promise<boolean> {
  const keys: string[] = [];
  for (let at: string | null = key; at !== null && keys.length < LONGEST_CHAIN; ) {
    keys.push(at);
    const stone: SessionRecord | null = await bury(core, at, await core.store.read(at), at, 'ended');
    at = stone !== null && tombstoneReason(stone) === 'rotated' ? stone.successor : null;
  }
  let ended = false;
  for (const one of keys) if (await core.store.delete(one)) ended = true;
  if (ended) core.events.emit('ended', () => ({ tag: core.tag(key) }));
  return ended;
}

export function sessionEnded(wish: string): MadeleineError {
  return new MadeleineError(
    'ERR_SESSION_ENDED',
    `There is no stored session to ${wish}: it has ended or was never stored.`,
    'Let the client ask again; it will start with a new session.',
  );
}
