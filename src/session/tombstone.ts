/**
 * A tombstone is the record that stays under the key of an id that was given up, so that requests still under way with that id can
 * be told from a stranger's. Its `data` says why the id was given up, and when.
 */
import { parseData } from './data.ts';
import type { Policy } from './policy.ts';
import { nextVersion, type SessionRecord } from './record.ts';

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
