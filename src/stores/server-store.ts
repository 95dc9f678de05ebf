/** What stores over a server share: what is done once before their first call, how they are closed, a check of URLs. */
import { setImmediate as endOfTurn } from 'node:timers/promises';
import { MadeleineError } from '../errors.ts';
import type { SessionStore, StoreAdmin } from '../session/store.ts';

export interface ServerStore extends SessionStore {
  readonly admin: StoreAdmin;
  /**
   * Sees whether the server will do, and makes the table if need be, which else the first call does: at the start of an
   * application, to fail there.
   */
  ready(): Promise<void>;
  /** Ends the connections that the store opened; a pool or client that it was given stays open. */
  close(): Promise<void>;
}

/** What is done once for all who ask, and for the next who asks when it has failed, or is to be done `again`. */
export interface Once {
  done(): Promise<void>;
  /** Makes the call when it is done: at once where it is, without a promise more. */
  after<T>(call: () => Promise<T>): Promise<T>;
  again(): void;
}

export function once(run: () => Promise<void>): Once {
  let doing: Promise<void> | null = null;
  let isDone = false;
  const again = () => {
    doing = null;
    isDone = false;
  };
  const begin = () => {
    const mine: Promise<void> = run().then(
      () => {
        if (doing === mine) isDone = true;
      },
      (error: unknown) => {
        again();
        throw error;
      },
    );
    return mine;
  };
  const done = () => {
    doing ??= begin();
    return doing;
  };
  return { done, after: call => (isDone ? call() : done().then(call)), again };
}

/** More questions than this without an answer are memory that fills up: drivers keep them for as long as a server hangs. */
const MOST_UNDER_WAY = 10_000;

/** Counts what a server was asked and has not answered yet. */
export class UnderWay {
  count = 0;
  #onNone: (() => void) | null = null;

  /** Counts one more, or answers with the error if there are too many. */
  begin(): Error | null {
    if (this.count >= MOST_UNDER_WAY) {
      return new Error(`${MOST_UNDER_WAY} calls wait for an answer of the server already`);
    }
    this.count++;
    return null;
  }

  end(): void {
    if (--this.count === 0) this.#onNone?.();
  }

  /** Until all calls have ended. A call may ask several times: it has ended when its last answer brings no other question. */
  async ended(): Promise<void> {
    while (this.count > 0) {
      await new Promise<void>(resolve => {
        this.#onNone = resolve;
      });
      await endOfTurn();
    }
  }
}

/** @param server what it keeps its sessions in */
export function storeClosed(server: string): MadeleineError {
  return new MadeleineError('ERR_STORE_FAILED', `The ${server} store is closed.`, 'Close it after the last request.');
}

/**
 * A password with a bare `%` is one that drivers cannot decode: "URI malformed", from wherever they try.
 *
 * @throws MadeleineError `ERR_STORE_INVALID`
 */
export function checkEncoding({ username, password }: URL): void {
  try {
    decodeURIComponent(username + password);
  } catch {
    throw new MadeleineError(
      'ERR_STORE_INVALID',
      'The user or the password in the connection string has a % that begins no percent-encoding.',
      'Write each % as %25, and other special characters percent-encoded too.',
    );
  }
}
