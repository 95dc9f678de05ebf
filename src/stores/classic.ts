import { withDeadline } from '../deadline.ts';
import { MadeleineError } from '../errors.ts';
import { isThenable } from '../maybe-promise.ts';
import { missingMethods } from '../options.ts';
import { copyRecord, type SessionRecord } from '../session/record.ts';
import type { SessionStore } from '../session/store.ts';
import { createWarnings } from '../warnings.ts';

/** A store as express-session knows it. Its `touch` is not needed: it moves the store's own expiry alone, not the record's times. */
export interface ClassicStore {
  get(id: string, callback: (error: unknown, session?: unknown) => void): unknown;
  set(id: string, session: object, callback: (error?: unknown) => void): unknown;
  destroy(id: string, callback: (error?: unknown) => void): unknown;
}

type Callback = (error?: unknown, answer?: unknown) => void;

const METHODS = ['get', 'set', 'destroy'] as const;

/**
 * For how long, in milliseconds, a call that is never answered holds up the next one for its session. `storeTimeout` has
 * ended the request that waited for it long before.
 */
const LONGEST_CALL = 30_000;

const warn = createWarnings();
const WEAKER =
  'A store for express-session cannot compare and set. In one process classicStore loses nothing; where several ' +
  'processes share the store, two changes to one session at once can lose one of the two, and a change that meets a ' +
  'logout can undo it. Where that matters use another store of madeleine.';

/**
 * Keeps sessions in any store that was written for express-session.
 *
 * Such a store can only get and set, so a compare-and-set is made of both: within this process the writes to one session
 * go one after the other, and nothing is lost; between processes nothing prevents a write from slipping in between. It
 * cannot list a user's sessions: there is no admin part. The store collects what has expired by itself, as it always did.
 * It is the application's: `close()` leaves it open.
 *
 * @throws MadeleineError `ERR_STORE_INVALID` when it is not such a store
 */
export function classicStore(store: ClassicStore): SessionStore {
  checkClassic(store);
  warn('MADELEINE_CLASSIC', WEAKER);
  const lastTurn = new Map<string, Promise<unknown>>();

  /** The writes to one key, one after the other, whatever becomes of each. */
  function inTurn<T>(key: string, write: () => Promise<T>): Promise<T> {
    const before = lastTurn.get(key) ?? Promise.resolve();
    const turn = before.then(write, write);
    const end = () => {
      if (lastTurn.get(key) === turn) lastTurn.delete(key);
    };
    lastTurn.set(key, turn);
    turn.then(end, end);
    return turn;
  }

  async function find(key: string): Promise<SessionRecord | null> {
    const session = await call('get', done =>
      store.get(key, (error, found) => done(isNoFile(error) ? null : error, found)),
    );
    const kept = (session as { madeleine?: SessionRecord } | null | undefined)?.madeleine;
    return kept !== null && typeof kept === 'object' ? copyRecord(kept) : null;
  }

  const put = (key: string, record: SessionRecord) => call('set', done => store.set(key, sessionOf(record), done));

  return {
    read: find,

    create: (key, record) =>
      inTurn(key, async () => {
        if ((await find(key)) !== null) return false;
        await put(key, record);
        return true;
      }),

    replace: (key, record, expected) =>
      inTurn(key, async () => {
        const current = await find(key);
        if (current?.version !== expected) return { ok: false, current };
        await put(key, record);
        return { ok: true };
      }),

    touch: (key, lastSeenAt, expiresAt) =>
      inTurn(key, async () => {
        const record = await find(key);
        if (record === null) return false;
        record.lastSeenAt = Math.max(record.lastSeenAt, lastSeenAt);
        record.expiresAt = Math.max(record.expiresAt, expiresAt);
        await put(key, record);
        return true;
      }),

    delete: key =>
      inTurn(key, async () => {
        if ((await find(key)) === null) return false;
        await call('destroy', done => store.destroy(key, done));
        return true;
      }),
  };
}

/**
 * The record in what such stores take: an object with a `cookie`, from which each derives when to collect it, this one
 * from `expires`, that one from `maxAge` or `originalMaxAge`. All say the same: what is left of the session.
 */
function sessionOf(record: SessionRecord): object {
  // At least 1: to some of them 0 means for ever.
  const left = Math.max(1, record.expiresAt - Date.now());
  const cookie = { path: '/', httpOnly: true, expires: new Date(record.expiresAt), maxAge: left, originalMaxAge: left };
  return { cookie, madeleine: copyRecord(record) };
}

/** The answer of a method with a callback: the first, should there be several; some reject a promise instead of calling back. */
function call(method: string, start: (done: Callback) => unknown): Promise<unknown> {
  const answer = new Promise((resolve, reject) => {
    const returned = start((error, value) => (error ? reject(error) : resolve(value)));
    if (isThenable(returned)) returned.then(undefined, reject);
  });
  return withDeadline(answer, LONGEST_CALL, () => noAnswer(method));
}

/** How session-file-store says that there is no such session. A database behind a socket that is missing has the same code, and failed. */
function isNoFile(error: unknown): boolean {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'ENOENT' && syscall !== 'connect';
}

function checkClassic(store: ClassicStore): void {
  const missing = missingMethods(store, METHODS);
  if (missing.length === 0) return;
  const ours = typeof (store as { replace?: unknown } | null)?.replace === 'function';
  throw new MadeleineError(
    'ERR_STORE_INVALID',
    `This is not a store for express-session: it lacks ${missing.join(', ')}.`,
    ours
      ? 'It looks like a store of madeleine, which needs no classicStore around it.'
      : 'Pass the store itself, as in classicStore(new RedisStore({ client })), not its class, options or connection.',
  );
}

function noAnswer(method: string): MadeleineError {
  return new MadeleineError(
    'ERR_STORE_TIMEOUT',
    `The store for express-session did not answer "${method}" within ${LONGEST_CALL} ms.`,
    'See whether the store is up, and whether it always calls back.',
  );
}
