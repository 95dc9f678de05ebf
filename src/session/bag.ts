/**
 * What handlers hold as `req.session`: a plain bag of the application's data whose prototype carries a few names. Data may
 * shadow any of them, because the library itself never goes through the bag.
 */
import { MadeleineError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { commit } from './commit.ts';
import { cookieView, type SessionCookieView } from './cookie-view.ts';
import { defineOwn } from './data.ts';
import { inOrder } from './in-order.ts';
import * as lifecycle from './lifecycle.ts';
import type { KeptKeys, LoginOptions } from './login-options.ts';
import type { Device } from './record.ts';
import type { SessionData } from './session-data.ts';
import type { SessionState } from './state.ts';
import { sessionEnded } from './succession.ts';
import { wish } from './wish.ts';

/**
 * Called as Node calls back: with the error, or with nothing. The types of methods, which TypeScript compares leniently: applications
 * have such functions already, with `(error: Error | null) => void` for their type.
 */
export type Callback = { done(error?: unknown): void }['done'];
/** The same, with `null` and the result where there is one. */
export type ResultCallback<Result> = { done(error?: unknown, result?: Result): void }['done'];

/** What is known of a session, read-only. The times are `null` while nothing is stored. */
export interface About {
  /** Who is logged in, as given to `login`; `null` for an anonymous visitor. */
  readonly userId: string | null;
  /** True when this request began the session, or has none stored yet. */
  readonly isNew: boolean;
  /** The name under which `sessions.list` and `sessions.revoke` know this session; `null` while nothing is stored. It opens nothing. */
  readonly handle: string | null;
  readonly createdAt: Date | null;
  /** When the person last logged in. */
  readonly authenticatedAt: Date | null;
  readonly lastSeenAt: Date | null;
  readonly expiresAt: Date | null;
  readonly device: Device | null;
  /** True when the session could not be read, and this visitor may well have one: see `onStoreError`. */
  readonly unavailable: boolean;
}

/**
 * The names on the prototype. Methods answer with a promise, and all but `touch` take a Node callback as well. Each fails
 * with the store's error where that fails (`ERR_STORE_FAILED`, `ERR_STORE_TIMEOUT`), and where data cannot be kept
 * (`ERR_DATA_NOT_JSON`, `ERR_DATA_TOO_LARGE`).
 */
export interface SessionMethods<Data extends object = SessionData> {
  /** The id in the cookie; `''` when this request followed a rotation and never saw the new one. Never log it. */
  readonly id: string;
  readonly cookie: SessionCookieView;
  readonly about: About;
  /**
   * Saves now. Not needed before the response: no byte of it leaves before the session is saved. @throws MadeleineError
   * `ERR_SESSION_ENDED` when another request has ended the session, or replaced it by a login's, and what this one put in is not kept
   */
  save(callback?: Callback): Promise<void>;
  /** Reads the data again, dropping what was not saved. @throws MadeleineError `ERR_SESSION_ENDED` */
  reload(callback?: Callback): Promise<void>;
  /**
   * Replaces this session by one with a fresh id and, of the data, the keys to `keep`: none by default, and none of what has ended
   * meanwhile. Ask for `session` again. @throws MadeleineError `ERR_OPTION_INVALID` for what is no list of keys
   */
  regenerate(keep?: KeptKeys<Data> | Callback, callback?: Callback): Promise<void>;
  /** Ends the session in the store and in the browser. A sealed cookie ends in this browser alone, unless its store has a denylist. */
  destroy(callback?: Callback): Promise<void>;
  /** Marks the session as seen now, whatever the throttle says. */
  touch(): Session<Data>;
  /** Logs the user in: a fresh id, and the visitor's data goes along. @throws MadeleineError `ERR_OPTION_INVALID` for a bad id */
  login(userId: string | number, options?: LoginOptions<Data> | Callback, callback?: Callback): Promise<void>;
  /** Logs the user out: ends the session, as `destroy` does; `req.session` is an empty one from then on. */
  logout(callback?: Callback): Promise<void>;
  /** Gives the session a fresh id. @throws MadeleineError `ERR_SESSION_ENDED` when it ended meanwhile */
  rotate(callback?: Callback): Promise<void>;
  /**
   * Runs `change` on what the store holds now, again if somebody else wrote meanwhile, until the result is saved: for counters, stock and
   * one-time tokens. Each run may take `storeTimeout`. @throws MadeleineError `ERR_SESSION_ENDED`, `ERR_CONFLICT`, `ERR_UPDATE_TIMEOUT`
   */
  update<Result>(
    change: (data: Partial<Data>) => Result | Promise<Result>,
    callback: ResultCallback<Result>,
  ): Promise<void>;
  update<Result>(change: (data: Partial<Data>) => Result | Promise<Result>): Promise<Result>;
  /** The same as `session[key]`, for what is written for other libraries: plugins of Fastify call these two. */
  get<Key extends keyof Data>(key: Key): Data[Key] | undefined;
  set<Key extends keyof Data>(key: Key, value: Data[Key] | undefined): void;
}

/** The keys that are named; `[key: string]: unknown` in the data shadows nothing. */
type NamedKeys<Data> = keyof { [Key in keyof Data as string extends Key ? never : Key]: Data[Key] };

/** A session as handlers see it: the application's data, and the methods that the data does not shadow. */
export type Session<Data extends object = SessionData> = Omit<SessionMethods<Data>, NamedKeys<Data>> & Partial<Data>;

class SessionBag {
  readonly #state: SessionState;

  constructor(state: SessionState, data: JsonObject) {
    this.#state = state;
    // Plain assignment is the fastest. For `id`, `cookie` and `about` it calls the setters below, which make an own property of it.
    for (const key of Object.keys(data)) {
      if (key !== '__proto__') (this as unknown as JsonObject)[key] = data[key] as JsonObject[string];
    }
  }

  get id(): string {
    return this.#state.ensureId();
  }
  set id(value: unknown) {
    defineOwn(this, 'id', value);
  }

  get cookie(): SessionCookieView {
    const { core, facts } = this.#state;
    return cookieView({ name: core.cookie.name(facts.secure), ...core.cookie.attributes(facts.secure) });
  }
  set cookie(value: unknown) {
    defineOwn(this, 'cookie', value);
  }

  get about(): About {
    const { record, key, isNew, readFailure } = this.#state;
    const date = (time: number | null | undefined) => (time == null ? null : new Date(time));
    return Object.freeze({
      userId: record?.userId ?? null,
      isNew,
      handle: record === null ? null : key,
      createdAt: date(record?.createdAt),
      authenticatedAt: date(record?.authenticatedAt),
      lastSeenAt: date(record?.lastSeenAt),
      expiresAt: date(record?.expiresAt),
      device: record?.device ?? null,
      unavailable: readFailure !== null,
    });
  }
  set about(value: unknown) {
    defineOwn(this, 'about', value);
  }

  // `req.session[name] = value` with a name from the client must not put another prototype under the bag.
  get __proto__(): undefined {
    return undefined;
  }
  set __proto__(_value: unknown) {
    throw new MadeleineError(
      'ERR_DATA_KEY',
      'A session cannot hold the key "__proto__".',
      'If the key comes from a client, check it first, or keep such entries as an array of pairs.',
    );
  }

  save(callback?: Callback): Promise<void> {
    const saved = inOrder(this.#state, async state => {
      await commit(state);
      if (state.dropped) throw sessionEnded('save this in');
    });
    saved.catch(() => {}); // If nobody awaits this, a failure of the store is not lost: the response tries to save again.
    return callBack(saved, callback);
  }
  reload(callback?: Callback): Promise<void> {
    return callBack(this.#change(lifecycle.reload), callback);
  }
  regenerate(keep?: readonly string[] | Callback, callback?: Callback): Promise<void> {
    const [keys, call] = typeof keep === 'function' ? [[], keep] : [keep ?? [], callback];
    const regenerate = async (state: SessionState) => {
      const kept = await lifecycle.regenerate(state, keys);
      if (keys.length > 0) Object.assign(bagOf(state), kept);
    };
    return callBack(this.#change(regenerate), call);
  }
  destroy(callback?: Callback): Promise<void> {
    return callBack(this.#change(lifecycle.logout), callback);
  }
  touch(): this {
    this.#state.touchAsked = true;
    return this;
  }
  login(userId: string | number, options?: LoginOptions | Callback, callback?: Callback): Promise<void> {
    const [given, call] = typeof options === 'function' ? [{}, options] : [options ?? {}, callback];
    const login = (state: SessionState) => lifecycle.login(state, userId, given);
    return callBack(this.#change(login), call);
  }
  logout(callback?: Callback): Promise<void> {
    return callBack(this.#change(lifecycle.logout), callback);
  }
  rotate(callback?: Callback): Promise<void> {
    return callBack(this.#change(lifecycle.rotate), callback);
  }
  update<Result>(
    change: (data: JsonObject) => Result | Promise<Result>,
    callback?: ResultCallback<Result>,
  ): Promise<Result | undefined> {
    return callBack(
      this.#change(state => lifecycle.update(state, change)),
      callback,
    );
  }

  /** What the data holds and no more: a key may come from a client, and must not lead to a method. */
  get(key: string): unknown {
    return Object.hasOwn(this, key) ? (this as unknown as JsonObject)[key] : undefined;
  }
  set(key: string, value: unknown): void {
    (this as unknown as Record<string, unknown>)[key] = value;
  }

  #change<T>(operation: (state: SessionState) => Promise<T>): Promise<T> {
    const running = inOrder(this.#state, state =>
      state.readFailure === null ? operation(state) : Promise.reject(state.readFailure),
    );
    return wish(this.#state, running);
  }
}

const EMPTY: { data: JsonObject; snapshot: null } = { data: Object.freeze({}), snapshot: null };

/** The bag of this session, made from the stored text when a handler first asks for it. */
export function bagOf(state: SessionState): Session {
  state.accessed = true;
  if (state.bag === null) {
    const { core, key, base, record } = state;
    const stored = base === '{}' ? EMPTY : core.parsed.read(key as string, base, record?.version ?? 0);
    if (stored === null) {
      // A record that cannot be understood is no session, and no reason to fail for ever.
      core.events.emit('poison', key, {});
      state.startOver();
      state.damaged = key;
    }
    const { data, snapshot } = stored ?? EMPTY;
    state.bag = new SessionBag(state, data);
    state.snapshot = snapshot;
  }
  return state.bag as Session;
}

/** Tells both the promise and the callback. What a callback throws is the process's to see, not ours. */
function callBack<Result>(done: Promise<Result>, callback?: ResultCallback<Result>): Promise<Result | undefined> {
  if (typeof callback !== 'function') return done;
  const called = done.then(
    result => (result === undefined ? process.nextTick(callback) : process.nextTick(callback, null, result)),
    error => process.nextTick(callback, error),
  );
  return called as Promise<undefined>;
}
