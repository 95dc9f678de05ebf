import { randomBytes } from 'node:crypto';
import { createHmac } from '../crypto/hmac.ts';
import { orElse } from '../maybe-promise.ts';
import { checkChoice, invalidOption } from '../options.ts';

/**
 * What happens to sessions, for logs and alarms. An event never holds an id, a key or data: `tag` is a keyed, shortened
 * hash, the same for the same session, good for nothing but telling sessions apart.
 */
export interface SessionEvents {
  /** A session was stored for the first time. */
  created: SessionEvent;
  /** The id changed: a login, `regenerate()` or `rotate()`. */
  renewed: SessionEvent & { reason: 'login' | 'regenerate' | 'rotate' };
  /** A session was ended on purpose: logout, `destroy()`, `revoke()`. */
  ended: SessionEvent;
  /** A cookie named a session whose time is over. */
  expired: SessionEvent;
  /** A well-signed cookie named a session that is not in the store, or a sealed one held a login from before its user's epoch. */
  unknown: SessionEvent;
  /** A session cookie had the wrong form or a wrong signature. */
  forged: Record<never, never>;
  /** A request carried several different session cookies. `valid` of them verified; more than one means none was used. */
  duplicate: { valid: number };
  /** A stored record could not be understood; it was treated as absent. */
  poison: SessionEvent;
  /** An id was used after it had been rotated away and its grace was over: perhaps a stolen cookie. */
  reused: SessionEvent;
  /** A request changed a session that had ended meanwhile; the change was dropped. */
  dropped: SessionEvent;
  /** A session could not be read, and its request was served without one: `onStoreError: 'anonymous'`. */
  unavailable: SessionEvent & { error: unknown };
  /** A save failed after the response had left, or in the background. */
  failed: { error: unknown };
}

export interface SessionEvent {
  tag: string;
}

export type SessionListener<Name extends keyof SessionEvents> = (event: SessionEvents[Name]) => void;

const NAMES: readonly (keyof SessionEvents)[] = [
  ...(['created', 'renewed', 'ended', 'expired', 'unknown', 'forged', 'duplicate'] as const),
  ...(['poison', 'reused', 'dropped', 'unavailable', 'failed'] as const),
];

export class EventHub {
  readonly #hmac = createHmac(randomBytes(32));
  readonly #listeners = new Map<keyof SessionEvents, Set<(event: never) => unknown>>();

  /** Calls `listener` at each such event; returns a function that ends this. @throws MadeleineError `ERR_OPTION_INVALID` */
  on<Name extends keyof SessionEvents>(name: Name, listener: SessionListener<Name>): () => void {
    checkChoice('event', name, NAMES);
    if (typeof listener !== 'function')
      throw invalidOption('listener', 'is not a function', 'Give one that is called.');
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /**
   * Tells those who listen. A listener that throws, now or later, disturbs neither the request nor other listeners.
   *
   * @param key where the store has the session that it happened to, which becomes the tag; `null` where there is none
   */
  emit<Name extends keyof SessionEvents>(
    name: Name,
    key: string | null,
    details: Omit<SessionEvents[Name], 'tag'>,
  ): void {
    const listeners = this.#listeners.get(name);
    if (!listeners || listeners.size === 0) return;
    const tag = key === null ? {} : { tag: this.#hmac(key, 'base64url').slice(0, 12) };
    const warn = (error: unknown) =>
      process.emitWarning(`A listener for the session event "${name}" threw: ${error}`, 'MadeleineWarning');
    for (const listener of listeners) orElse(() => listener({ ...tag, ...details } as never), warn);
  }
}
