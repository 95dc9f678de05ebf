/** What two stores hold under one key while its session moves: a claim, which only holds the place, or a record in each. */
import { randomInt } from 'node:crypto';
import type { SessionRecord } from '../session/record.ts';

const CLAIM = '{"reason":"claim"}';

/**
 * Holds the place of a record, for as long as that would live. Its version is random: that another claim has the same, or the session
 * once it was brought over, is a chance of one in a billion. The new store is going to be used alone one day: a claim that stayed
 * empty is the tombstone of a session that has ended.
 */
export function claimFor(key: string, { createdAt, lastSeenAt, expiresAt }: SessionRecord): SessionRecord {
  return {
    ...{ data: CLAIM, version: randomInt(2 ** 30, 2 ** 31), userId: null, device: null, remember: false },
    ...{ createdAt, authenticatedAt: null, lastSeenAt, expiresAt, successor: key },
  };
}

export function isClaim(record: SessionRecord): boolean {
  return record.successor !== null && record.data === CLAIM;
}

/** Of both records, that which was written later; marks as seen do not change the version. */
export function laterOf(one: SessionRecord, other: SessionRecord): SessionRecord {
  return (one.version - other.version || one.lastSeenAt - other.lastSeenAt) > 0 ? one : other;
}
