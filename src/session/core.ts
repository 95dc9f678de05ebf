import type { Clock } from '../clock.ts';
import type { Warn } from '../warnings.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { EventHub } from './events.ts';
import type { GuardedStore } from './guarded-store.ts';
import type { MergeRules } from './merge.ts';
import type { OnReuse } from './options.ts';
import type { ParsedLately } from './parsed-lately.ts';
import type { Policy } from './policy.ts';
import type { SessionRecord } from './record.ts';
import type { SessionCookie } from './session-cookie.ts';

/** What all open sessions of one `createSessions` share. */
export interface Core {
  readonly store: GuardedStore;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly cookie: SessionCookie;
  readonly events: EventHub;
  readonly queue: CommitQueue;
  /** The stored text with one request's changes: a merge of (base, mine, stored), unless the application wants less. */
  join(base: string, mine: string, stored: string): string;
  readonly merge: MergeRules;
  /** The record with this data and version, marked as seen if that is due or `seen`; the very same record if the data is the same. */
  advance(record: SessionRecord, data: string, version: number, seen?: boolean): SessionRecord;
  /** Parses the text of sessions. */
  readonly parsed: ParsedLately;
  /** The most bytes of JSON text that one session may hold. */
  readonly maxDataSize: number;
  /** How long one call to the store may take, and one run of an `update` function, in milliseconds. */
  readonly storeTimeout: number;
  readonly onReuse: OnReuse;
  /** Warns once for each code, in production only where that is asked for. */
  readonly warn: Warn;
}
