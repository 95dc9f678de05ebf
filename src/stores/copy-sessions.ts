import { type Clock, checkClock } from '../clock.ts';
import { checkOptions } from '../options.ts';
import { adminOf, checkStore } from '../session/guarded-store.ts';
import { isSessionRecord, type SessionRecord } from '../session/record.ts';
import { pagesOf } from '../session/scan.ts';
import type { SessionStore } from '../session/store.ts';
import { isClaim } from './moving-records.ts';
import { Refusals } from './refusals.ts';

export interface CopyProgress {
  /** Sessions, and marks of ids that were given up, that the new store did not have, or had in an older version. */
  copied: number;
  /** Those that it had already, as new or newer. */
  present: number;
  /** Those that have expired, or that nobody can read: they stay behind. */
  skipped: number;
  /** Where to go on: the option `cursor` of a later call. `null` at the end. It stays before a session that was refused. */
  cursor: string | null;
}

export interface CopyOptions {
  /** Called after each page with the sums so far. */
  onProgress?: (progress: CopyProgress) => void;
  /** Goes on where an earlier call had come. Default: begins at the beginning. */
  cursor?: string | null;
  /** Says what has expired. Default: the machine's clock. */
  clock?: Clock;
}

/**
 * Copies the live sessions of one store into another, while no application writes to the first. Nobody is logged out: the
 * cookies stay as they are, because both stores know the same hashed keys.
 *
 * It may be repeated, and stopped anywhere: a newer record in `to` is never overwritten. What was ended in `from` after it
 * was copied stays in `to`, also the id that a login or a rotation gave up: if `from` was in use since, empty `to` before
 * the next copy, or before `movingStore`. To move while people log in and out, use `movingStore` alone.
 *
 * A session that `to` refuses does not stop the others.
 *
 * @throws MadeleineError `ERR_STORE_FAILED` at the end when some were refused, or before it when a hundred were;
 *   `ERR_STORE_NO_ADMIN` when `from` cannot list its sessions, `ERR_STORE_INVALID`, `ERR_OPTION_*`
 */
export async function copySessions(
  from: SessionStore,
  to: SessionStore,
  options: CopyOptions = {},
): Promise<CopyProgress> {
  const given = checkOptions(options, ['onProgress', 'cursor', 'clock'], 'copySessions');
  checkStore(from, 'The store to copy from');
  checkStore(to, 'The store to copy to');
  const { onProgress, cursor = null } = given;
  const clock = checkClock(given.clock);
  const admin = adminOf(from, 'copy');
  const progress: CopyProgress = { copied: 0, present: 0, skipped: 0, cursor };
  const refusals = new Refusals();
  for await (const page of pagesOf(admin, cursor)) {
    const now = clock();
    const outcomes = page.entries.map(([key, record]) => copy(to, key, record, now).catch(refusals.of(key)));
    for (const outcome of await Promise.all(outcomes)) if (outcome) progress[outcome]++;
    // Whoever goes on from there looks again at what was refused.
    if (refusals.count === 0) progress.cursor = page.cursor;
    onProgress?.({ ...progress });
    refusals.check();
  }
  refusals.check(1);
  return progress;
}

async function copy(
  to: SessionStore,
  key: string,
  record: SessionRecord,
  now: number,
): Promise<'copied' | 'present' | 'skipped'> {
  if (!isSessionRecord(record) || record.expiresAt <= now) return 'skipped';
  if (await to.create(key, record)) return 'copied';
  for (;;) {
    const there = await to.read(key);
    if (there === null) return 'present';
    // Of a move that stopped in between: what is still in the old store belongs in its place.
    const version = isClaim(there) ? Number.NEGATIVE_INFINITY : there.version;
    if (version > record.version) return 'present';
    if (version === record.version) {
      // Marks as seen do not change the version.
      const seen = record.lastSeenAt > there.lastSeenAt || record.expiresAt > there.expiresAt;
      if (seen) await to.touch(key, record.lastSeenAt, record.expiresAt);
      return 'present';
    }
    if ((await to.replace(key, record, there.version)).ok) return 'copied';
  }
}
