import type { SessionState } from './state.ts';

/** A promise that knows whether anybody has asked it for its outcome. */
class Wish<T> extends Promise<T> {
  /** What is made from it is nobody's wish any more. */
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
 * What a handler has asked of its session. A handler that does not wait for it cannot tell the client of its failure, and Node
 * would end the process because of a promise that nobody watches. So the failure is kept: the response tells it.
 */
export function wish<T>(state: SessionState, running: Promise<T>): Promise<T> {
  let heard = false;
  const made = new Wish<T>((resolve, reject) => {
    running.then(resolve, error => {
      if (!heard) state.keepFailure(error);
      reject(error);
    });
  });
  made.catch(() => {}); // Before `heard` is there: this is nobody's waiting.
  made.heard = () => {
    heard = true;
    running.catch(error => state.forgetFailure(error));
  };
  return made;
}
