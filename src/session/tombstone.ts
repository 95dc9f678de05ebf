/**
 * A tombstone is the record that stays under the key of an id that was given up, so that requests still under way with that id can
 * be told from a stranger's. Its `data` says why the id was given up, and when.
 */
import { type MaybePromise, whenReady } from '../maybe-promise.ts';
import { parseData } from './data.ts';
import type { Policy } from './policy.ts';
import { nextVersion, type SessionRecord } from './record.ts';
import type { SessionStore } from './store.ts';

/**
 * `rotated`: the same session under a new id; for a short grace the old id still opens it, after that its use is a sign
 * of theft. `replaced`: a login or `regenerate()`; the old id opens nothing and must not disturb the newer cookie.
 * `ended`: a logout about to delete the record, so that nothing can slip in between.
 */
export type TombstoneReason = 'rotated' | 'replaced' | 'ended';

export function tombstone(
  old: SessionRecord,
  successor: string,
  reason: TombstoneReason,
  now: number,
  policy: Policy,
): SessionRecord {
  return {
    ...old,
    data: JSON.stringify({ reason, at: now }),
    version: nextVersion(old.version),
    userId: null,
    device: null,
    // A rotated id is recognised until its own session would have ended; another only while it can be in flight.
    expiresAt: reason === 'rotated' ? old.expiresAt : now + policy.grace,
    successor,
  };
}

export function tombstoneReason(stone: SessionRecord): TombstoneReason {
  const reason = parseData(stone.data)?.['reason'];
  return reason === 'rotated' || reason === 'ended' ? reason : 'replaced';
}

/** Whether the id was given up so recently that an honest client may still be using it. */
export function inGrace(stone: SessionRecord, now: number, policy: Policy): boolean {
  const at = parseData(stone.data)?.['at'];
  return typeof at === 'number' && now < at + policy.grace;
}

/**
 * Where the rotations from this tombstone on led to: the session, or the tombstone of a login or logout. `null`: to nothing that is
 * stored any more, or in a circle, which only spoilt data can do.
 *
 * @param passed the keys that were looked at on the way here
 */
export function rotatedTo(
  store: Pick<SessionStore, 'read'>,
  stone: SessionRecord,
  passed: Set<string> = new Set(),
): MaybePromise<{ key: string; record: SessionRecord } | null> {
  const { successor: key } = stone;
  if (key === null || passed.has(key) || tombstoneReason(stone) !== 'rotated') return null;
  passed.add(key);
  return whenReady(store.read(key), record => {
    if (record === null) return null;
    const goesOn = record.successor !== null && tombstoneReason(record) === 'rotated';
    return goesOn ? rotatedTo(store, record, passed) : { key, record };
  });
}
