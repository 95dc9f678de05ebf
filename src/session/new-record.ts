/** Records under keys that were made for them. */
import { MadeleineError } from '../errors.ts';
import { type MaybePromise, orElse, whenReady } from '../maybe-promise.ts';
import type { Core } from './core.ts';
import { isSameWrite, type SessionRecord } from './record.ts';

/** Stores a new record. `false`: the key is somebody else's. */
export function storeNew({ store }: Core, key: string, record: SessionRecord): MaybePromise<boolean> {
  return whenReady(
    store.create(key, record),
    created => created || whenReady(store.read(key), current => isSameWrite(current, record)),
  );
}

/** 256 random bits do not meet by chance: a generator that repeats itself must not open somebody's session. */
export function idTaken(): MadeleineError {
  return new MadeleineError(
    'ERR_CONFLICT',
    'A new session id was already taken.',
    "See whether the machine's source of random numbers works.",
  );
}

/** Removes a record that is no use to anybody. Nobody waits for it; if it fails, the record is collected when it has expired. */
export function forget({ store, events }: Core, key: string): void {
  orElse(
    () => store.delete(key),
    error => events.emit('failed', null, { error }),
  );
}
