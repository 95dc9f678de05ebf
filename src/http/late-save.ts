/** Saving once the head of the response has left. */
import { type MaybePromise, orElse } from '../maybe-promise.ts';
import type { OpenSession } from '../session/opened.ts';
import type { Sessions } from '../session/sessions.ts';

/** An open session, whatever the type of its data. */
type AnySession = Omit<OpenSession, 'session'>;

const HEAD_HAD_LEFT =
  'A session was begun after the head of the response had left, so its cookie cannot reach the client and nothing was kept. Put something in the session before the first write.';

/**
 * Saves what changed since the head left. A session begun since could never reach the client.
 *
 * @param begun the warning for one
 */
export function saveAtEnd(
  sessions: Pick<Sessions, 'warn'>,
  open: AnySession,
  begun: string = HEAD_HAD_LEFT,
): MaybePromise<void> {
  return whenIdle(open, () => {
    if (open.failed) return open.commit();
    if (!open.accessed || !open.changed) return;
    if (!open.unstored) return open.commit();
    sessions.warn('MADELEINE_LATE_SESSION', begun);
  });
}

/** Looks once no call on the session is under way. A failure becomes an event, as no response can tell of it any more. */
export function lookWhenIdle(
  sessions: Pick<Sessions, 'reportFailure'>,
  open: AnySession,
  look: () => MaybePromise<void>,
): MaybePromise<void> {
  return orElse(
    () => whenIdle(open, look),
    error => sessions.reportFailure(error),
  );
}

/** Saves what is changed after the response has left, when nothing else would. */
export interface LateSaver {
  /** A call of `saveLate` is planned. */
  isSavingSoon: boolean;
  saveLate(): void;
}

/** Plans a call of `saveLate` for when the code that runs now has paused; one, however often this is called until then. */
export function saveSoon(saver: LateSaver): void {
  if (saver.isSavingSoon) return;
  saver.isSavingSoon = true;
  setImmediate(() => {
    saver.isSavingSoon = false;
    saver.saveLate();
  });
}

/** While a call on the session is under way, nobody can tell what is left to save. */
function whenIdle(open: AnySession, look: () => MaybePromise<void>): MaybePromise<void> {
  const { busy } = open;
  if (busy === null) return look();
  const again = () => whenIdle(open, look);
  return busy.then(again, again);
}
