import type { SessionRecord } from 'madeleine';

/** A record that lives for an hour from `now`. */
export function sampleRecord(now: number, changes: Partial<SessionRecord> = {}): SessionRecord {
  return {
    data: '{}',
    version: 1,
    userId: null,
    createdAt: now,
    authenticatedAt: null,
    lastSeenAt: now,
    expiresAt: now + 3_600_000,
    remember: false,
    device: null,
    successor: null,
    ...changes,
  };
}
