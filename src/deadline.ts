/**
 * Settles as the answer does, if that comes in time; what comes later is dropped. The answer may be any thenable: query builders and
 * older promise libraries have promises of their own.
 *
 * @param timeout in milliseconds
 * @param late the error when no answer came in time
 * @param failed the error to give for the one that the answer failed with; default: that one
 */
export function withDeadline<T>(
  answer: PromiseLike<T>,
  timeout: number,
  late: () => Error,
  failed: (cause: unknown) => unknown = cause => cause,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), timeout);
    // Adopted, and not asked here: such a promise may throw where it is asked.
    Promise.resolve(answer).then(
      value => {
        clearTimeout(timer);
        resolve(value);
      },
      cause => {
        clearTimeout(timer);
        reject(failed(cause));
      },
    );
  });
}
