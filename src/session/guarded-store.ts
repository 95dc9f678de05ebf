import { withDeadline } from '../deadline.ts';
import { MadeleineError } from '../errors.ts';
import { isThenable, type MaybePromise } from '../maybe-promise.ts';
import { missingMethods } from '../options.ts';
import type { SessionStore, StoreAdmin } from './store.ts';

const METHODS = ['read', 'create', 'replace', 'touch', 'delete'] as const;

/** Every call to the store with a deadline, and every fault as a `MadeleineError` with the store's own error as its cause. */
export interface GuardedStore extends Pick<SessionStore, (typeof METHODS)[number]> {
  /** @throws MadeleineError `ERR_STORE_NO_ADMIN` when the store cannot do this */
  admin<T>(operation: keyof StoreAdmin, run: (admin: StoreAdmin) => MaybePromise<T>): MaybePromise<T>;
  readonly hasAdmin: boolean;
  close(): MaybePromise<void>;
}

/** Makes this call for a store, with the deadline in milliseconds and with its faults as `MadeleineError`. */
export function guardCall<T>(operation: string, timeout: number, call: () => MaybePromise<T>): MaybePromise<T> {
  try {
    const answer = call();
    if (!isThenable(answer)) return answer;
    return withDeadline(
      answer,
      timeout,
      () => storeTimedOut(operation, timeout),
      cause => storeFailed(operation, cause),
    );
  } catch (cause) {
    throw storeFailed(operation, cause);
  }
}

/** @throws MadeleineError `ERR_STORE_INVALID` when it is not a store or lacks a method */
export function guardStore(store: SessionStore, timeout: number, what?: string): GuardedStore {
  checkStore(store, what);
  const guard = <T>(operation: string, call: () => MaybePromise<T>) => guardCall(operation, timeout, call);

  return {
    read: key => guard('read', () => store.read(key)),
    create: (key, record) => guard('create', () => store.create(key, record)),
    replace: (key, record, expected) => guard('replace', () => store.replace(key, record, expected)),
    touch: (key, lastSeenAt, expiresAt) => guard('touch', () => store.touch(key, lastSeenAt, expiresAt)),
    delete: key => guard('delete', () => store.delete(key)),
    hasAdmin: store.admin !== undefined,
    admin(operation, run) {
      const admin = adminOf(store, operation);
      return guard(operation, () => run(admin));
    },
    close: () => guard('close', () => store.close?.()),
  };
}

/** @throws MadeleineError `ERR_STORE_NO_ADMIN` when the store cannot do this */
export function adminOf(store: SessionStore, operation: string): StoreAdmin {
  if (store.admin) return store.admin;
  throw noAdmin(operation, 'Use a store that can list its sessions; what madeleine keeps on a server can.');
}

/**
 * @param what the store's part in this, for the error
 * @throws MadeleineError `ERR_STORE_INVALID` when it is not a store or lacks a method
 */
export function checkStore(store: SessionStore, what = 'Option "store"'): void {
  const missing = missingMethods(store, METHODS);
  if (missing.length === 0) return;
  const classic = typeof (store as { get?: unknown } | null)?.get === 'function';
  throw new MadeleineError(
    'ERR_STORE_INVALID',
    `${what} is not a session store: it lacks ${missing.join(', ')}.`,
    classic
      ? 'It looks like a store for express-session: wrap it as classicStore(store), from "madeleine/classic".'
      : 'Pass what memoryStore(), sqliteStore() or another store returns, not its options, path or connection.',
  );
}

export function noAdmin(operation: string, remedy: string): MadeleineError {
  return new MadeleineError('ERR_STORE_NO_ADMIN', `This store cannot do "${operation}".`, remedy);
}

function storeFailed(operation: string, cause: unknown): MadeleineError {
  if (cause instanceof MadeleineError) return cause;
  const remedy = 'See the cause, which is what the store said.';
  return new MadeleineError('ERR_STORE_FAILED', `The session store failed to ${operation}.`, remedy, { cause });
}

function storeTimedOut(operation: string, timeout: number): MadeleineError {
  return new MadeleineError(
    'ERR_STORE_TIMEOUT',
    `The session store did not ${operation} within ${timeout} ms.`,
    'See whether the store is up and how busy it is; option "storeTimeout" sets the limit.',
  );
}
