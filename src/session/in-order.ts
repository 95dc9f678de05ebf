import type { MaybePromise } from '../maybe-promise.ts';
import type { SessionState } from './state.ts';

type Operation<T> = (state: SessionState) => T;

/**
 * Runs an operation of one request on its session after those that are still under way, whether or not the handler awaits them.
 * Each begins from what the one before it left, so that nothing is stored twice. The next runs even if one fails.
 */
export function inOrder<T>(state: SessionState, operation: Operation<Promise<T>>): Promise<T>;
export function inOrder<T>(state: SessionState, operation: Operation<MaybePromise<T>>): MaybePromise<T>;
export function inOrder<T>(state: SessionState, operation: Operation<MaybePromise<T>>): MaybePromise<T> {
  const before = state.underWay.at(-1);
  const running = before
    ? before.then(
        () => operation(state),
        () => operation(state),
      )
    : operation(state);
  if (!(running instanceof Promise)) return running;
  const leave = () => {
    state.underWay = state.underWay.filter(one => one !== running);
  };
  state.underWay = [...state.underWay, running];
  // Registered before anybody else can be: whoever awaits it finds it removed from the list already.
  running.then(leave, leave);
  return running;
}

/**
 * The same for the response, which is about to leave. If what is under way fails, so does this: a handler that has not waited
 * for it cannot tell the client any more.
 */
export function afterAll(state: SessionState, operation: Operation<MaybePromise<void>>): MaybePromise<void> {
  const { underWay } = state;
  if (underWay.length > 0) {
    return Promise.all(underWay).then(
      () => afterAll(state, operation),
      error => {
        state.forgetFailure(error);
        throw error;
      },
    );
  }
  state.tellFailure();
  return inOrder(state, operation);
}
