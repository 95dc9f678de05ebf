/** The requests of one session, one after the other: what `concurrency: 'serialize'` means, inside this process. */
import { withDeadline } from '../deadline.ts';
import type { MaybePromise } from '../maybe-promise.ts';

/** Ends the turn: the next one may go. */
export type EndTurn = () => void;

export class Turns {
  readonly #longestWait: number;
  /** For each session the end of the turn that was taken last. */
  readonly #last = new Map<string, Promise<void>>();

  /** @param longestWait in milliseconds; who has waited so long goes without a turn, as a handler that asks its own server must */
  constructor(longestWait: number) {
    this.#longestWait = longestWait;
  }

  /** Waits for the turn taken before this one. */
  take(key: string): MaybePromise<EndTurn> {
    const before = this.#last.get(key);
    let end: EndTurn = () => {};
    const over = new Promise<void>(resolve => {
      end = resolve;
    });
    this.#last.set(key, over);
    const endTurn = () => {
      end();
      if (this.#last.get(key) === over) this.#last.delete(key);
    };
    if (!before) return endTurn;
    const late = () => new Error('no turn in time');
    return withDeadline(before, this.#longestWait, late).then(
      () => endTurn,
      () => endTurn,
    );
  }
}
