/** Who stands behind the gate of a response. */
import type { MaybePromise } from '../maybe-promise.ts';
import type { LeavingHead } from './fields.ts';

/** Who has something to save before the response leaves, and something to say in its head: a session. */
export interface GateParticipant {
  /** Saves, before the first byte. */
  save(): MaybePromise<void>;
  /** Adds fields to those given, or to those of the response; called once, right before the head is written. */
  head(given: LeavingHead | null): void;
  /** The head has left, or is held, before this one came: it tells nothing of it. */
  headHasLeft(): void;
  /** Saves what changed since, before the last byte of a response whose head left earlier. */
  saveAtEnd(): MaybePromise<void>;
  /** The save failed, nothing was sent, and the handler is done: the application may answer with an error of its own. */
  failed(error: unknown): void;
  /** A save failed, and the client has been answered already, by an error or by cutting the connection. */
  report(error: unknown): void;
  /** The handler has ended the response, and everything is saved; `late`: that took a while, in which something may have been changed. */
  ended(late: boolean): void;
  /** A save failed, so the client gets an error, or a response that is cut: what is not saved by now must not be saved later. */
  refused(): void;
}

/** Has all of them save. Nearly always there is one participant, and no promise to make. */
export function saveAll(participants: readonly GateParticipant[], when: 'save' | 'saveAtEnd'): MaybePromise<void> {
  if (participants.length === 1) return (participants[0] as GateParticipant)[when]();
  const pending: Array<Promise<void>> = [];
  try {
    for (const one of participants) {
      const saved = one[when]();
      if (saved instanceof Promise) pending.push(saved);
    }
  } catch (error) {
    // Rejected and not thrown: the saves already begun are still awaited, or their failures would be lost.
    pending.push(Promise.reject(error));
  }
  if (pending.length > 0) return Promise.all(pending).then(() => undefined);
}
