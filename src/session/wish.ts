import type { SessionState } from './state.ts';

/** A promise that notices when somebody awaits it. */
class Wish<T> extends Promise<T> {
  /** What `then` makes of it is a plain promise: only the first of a chain has to be watched. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  heard: (() => void) | null = null;

  // biome-ignore lint/suspicious/noThenProperty: it is a promise, and stays one.
  override then<Done = T, Failed = never>(
    done?: ((value: T) => Done | PromiseLike<Done>) | null,
    failed?: ((reason: unknown) => Failed | PromiseLike<Failed>) | null,
  ): Promise<Done | Failed> {
    this.heard?.();
    return super.then(done, failed);
  }
}

/**
 * The promise that a handler is given for a call on its session. If the handler does not await it, it cannot tell the client of a
 * failure, and Node would end the process for an unhandled rejection. So the failure is kept, and the response fails with it.
 */
export function wish<T>(state: SessionState, running: Promise<T>): Promise<T> {
  let heard = false;
  const made = new Wish<T>((resolve, reject) => {
    running.then(resolve, error => {
      if (!heard) state.keepFailure(error, () => heard);
      reject(error);
    });
  });
  made.catch(() => {}); // So that Node does not end the process. Before `heard` is set, as this does not count as awaiting.
  made.heard = () => {
    heard = true;
    running.catch(error => state.forgetFailure(error));
  };
  return made;
}
