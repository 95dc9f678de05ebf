import { MadeleineError } from '../errors.ts';

/** More are not some odd sessions, but a store that fails. */
const MOST = 100;

/** The sessions that a new store refused, while all are brought there: they do not stop the others. */
export class Refusals {
  count = 0;
  #first: { key: string; cause: unknown } | null = null;

  /** Notes why this one was refused: for a `catch`. */
  of(key: string): (cause: unknown) => void {
    return cause => {
      // Both stores are the same: that is not about this session.
      if (cause instanceof MadeleineError && cause.code === 'ERR_OPTION_CONFLICT') throw cause;
      this.count++;
      this.#first ??= { key, cause };
    };
  }

  /** @throws MadeleineError `ERR_STORE_FAILED` if there are so many */
  check(least: number = MOST): void {
    if (this.#first === null || this.count < least) return;
    const { key, cause } = this.#first;
    throw new MadeleineError(
      'ERR_STORE_FAILED',
      `${this.count} of the sessions could not be brought into the new store, first that with the handle ${key}.`,
      'See the cause; what was brought over stays there, and a later run tries the rest again.',
      { cause },
    );
  }
}
