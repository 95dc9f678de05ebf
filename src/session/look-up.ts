/** What the store has under the key that a request came with: its session, what has taken its place, or nothing that counts. */
import { type MaybePromise, orElse, whenReady } from '../maybe-promise.ts';
import { forget } from './new-record.ts';
import { isAhead, isLive } from './policy.ts';
import { isSessionRecord, type SessionRecord } from './record.ts';
import type { SessionState } from './state.ts';
import { endSession } from './succession.ts';
import { inGrace, tombstoneReason } from './tombstone.ts';

/** Looks up the session under this key; `id` as it was presented. */
export type Look = (state: SessionState, key: string, id: string | null) => MaybePromise<void>;

/**
 * Looks the session up. The state holds it if it counts; otherwise it stays as it is for a visitor without a cookie.
 *
 * @param passed the keys whose tombstones led here
 */
export function find(
  state: SessionState,
  key: string,
  id: string | null,
  passed: Set<string> | null = null,
): MaybePromise<void> {
  const { core } = state;
  return whenReady(core.store.read(key), record => {
    if (record === null) return core.events.emit('unknown', key, {});
    if (!isSessionRecord(record)) return core.events.emit('poison', key, {});
    const now = core.clock();
    if (record.successor !== null) return findSuccessor(state, key, record, now, passed ?? new Set());
    if (!isLive(record, now, core.policy)) {
      core.events.emit('expired', key, {});
      // If it is our clock that is behind, the session is good, and other servers still use it: so it is not deleted.
      return isAhead(record, now) ? undefined : forget(core, key);
    }
    state.hold(key, record, id);
    state.base = record.data;
  });
}

function findSuccessor(
  state: SessionState,
  key: string,
  stone: SessionRecord,
  now: number,
  passed: Set<string>,
): MaybePromise<void> {
  const { core } = state;
  const reason = tombstoneReason(stone);
  if (reason === 'ended') return; // a logout that was interrupted before it could delete the record
  const rotated = reason === 'rotated';
  if (inGrace(stone, now, core.policy)) {
    // One that was passed already: a circle, which only spoilt data can make.
    if (rotated && !passed.has(key)) return find(state, stone.successor as string, null, passed.add(key));
    // Sent before the browser had the login's new cookie: it gets nothing of the new session, and must not disturb it.
    return state.close();
  }
  if (rotated && stone.expiresAt > now) {
    core.events.emit('reused', key, {});
    if (core.onReuse === 'end') return whenReady(endSession(core, key), () => undefined);
  }
}

/** What `onStoreError: 'anonymous'` does where `look` fails: goes on without a session, but with the reason why nothing of this request can be kept. */
export function orAnonymous(look: Look): Look {
  return (state, key, id) =>
    orElse(
      () => look(state, key, id),
      error => {
        state.readFailure = error;
        state.core.events.emit('unavailable', key, { error });
      },
    );
}
