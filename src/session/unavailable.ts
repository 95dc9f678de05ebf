/** What `onStoreError: 'anonymous'` does with a request whose session cannot be read. */
import { type MaybePromise, orElse } from '../maybe-promise.ts';
import type { SessionState } from './state.ts';

/** Looks up the session under this key; `id` as it was presented. */
export type Look = (state: SessionState, key: string, id: string | null) => MaybePromise<void>;

/** Goes on where `look` fails: without a session, but with the reason why nothing of this request can be kept. */
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
