import type { SessionRecord } from '../session/record.ts';

/** Of what two stores hold under one key, that which was written later; marks as seen do not change the version. */
export function laterOf(one: SessionRecord, other: SessionRecord): SessionRecord {
  return (one.version - other.version || one.lastSeenAt - other.lastSeenAt) > 0 ? one : other;
}
