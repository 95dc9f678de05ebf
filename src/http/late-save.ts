/** Saving once the head of the response has left. */
import { type MaybePromise, orElse } from '../maybe-promise.ts';
import type { OpenSession } from '../session/opened.ts';
import type { Sessions } from '../session/sessions.ts';

const HEAD_HAD_LEFT =
  'A session was begun after the head of the response had left, so its cookie cannot reach the client and nothing was kept. Put something in the session before the first write.';

/**
 * Saves what changed since the head left. A session begun since could never reach the client.
 *
 * @param begun what to say of one
 */
export function saveAtEnd<Data extends object>(
  sessions: Sessions<Data>,
  open: OpenSession<Data>,
  begun: string = HEAD_HAD_LEFT,
): MaybePromise<void> {
  return whenIdle(open, () => {
    if (open.failed) return open.commit();
    if (!open.accessed || !open.changed) return;
    if (!open.unstored) return open.commit();
    sessions.warn('MADELEINE_LATE_SESSION', begun);
  });
}

/** Looks once nothing is being done to the session. No response can tell of a failure any more, so that one is an event. */
export function lookWhenIdle<Data extends object>(
  sessions: Sessions<Data>,
  open: OpenSession<Data>,
  look: () => MaybePromise<void>,
): MaybePromise<void> {
  return orElse(
    () => whenIdle(open, look),
    error => sessions.reportFailure(error),
  );
}

/** Where something may be changed at any time: looks when those who do pause, once for however often they came. */
export function oncePaused(look: () => void): () => void {
  let planned = false;
  return () => {
    if (planned) return;
    planned = true;
    setImmediate(() => {
      planned = false;
      look();
    });
  };
}

/** While something is being done to the session, nobody can tell what is left to save. */
function whenIdle<Data extends object>(open: OpenSession<Data>, look: () => MaybePromise<void>): MaybePromise<void> {
  const { busy } = open;
  if (busy === null) return look();
  const again = () => whenIdle(open, look);
  return busy.then(again, again);
}
