/** The empty record by which `movingStore` takes a session's place in the new store. */
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
