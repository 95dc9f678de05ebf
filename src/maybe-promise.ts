/** A value now, or later: a synchronous store answers at once and costs no promise. */
export type MaybePromise<T> = T | Promise<T>;

/** Goes on with `next` at once when the value is there, else when it arrives: `await` without the needless hop. */
export function whenReady<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** What `call` gives, or what `failed` makes of its error, whether that comes at once or later. */
export function orElse<T, F>(
  call: () => MaybePromise<T>,
  failed: (error: unknown) => MaybePromise<F>,
): MaybePromise<T | F> {
  try {
    const value = call();
    return value instanceof Promise ? value.catch(failed) : value;
  } catch (error) {
    return failed(error);
  }
}

/** Calls `next` with what `call` gives, or `failed` with its error, at once or later. What `next` throws is not given to `failed`. */
export function whenSettled<T>(
  call: () => MaybePromise<T>,
  next: (value: T) => void,
  failed: (error: Error) => void,
): void {
  let value: MaybePromise<T>;
  try {
    value = call();
  } catch (error) {
    return failed(error as Error);
  }
  if (value instanceof Promise) value.then(next, failed);
  else next(value);
}

/** Whether it is a promise of any kind: drivers and query builders answer with promises of their own. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
