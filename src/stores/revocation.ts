import type { Clock } from '../clock.ts';
import { MadeleineError } from '../errors.ts';
import { type MaybePromise, whenReady } from '../maybe-promise.ts';
import { type GuardedStore, guardCall, noAdmin } from '../session/guarded-store.ts';
import { latestEndOf, latestEndOfAny, type Policy } from '../session/policy.ts';
import type { SessionRecord } from '../session/record.ts';

/** When a user's sessions were last declared ended, in milliseconds since 1970. */
export type Epoch = (userId: string) => MaybePromise<number>;

/**
 * What ends a session that is kept nowhere. A denylist holds a tombstone under the key of each session that was ended, until
 * no copy of its cookie can count any more. An epoch ends all sessions of a user that were authenticated before it.
 */
export class Revocation {
  readonly denylist: GuardedStore | null;
  readonly #epoch: Epoch | null;
  readonly #policy: Policy;
  readonly #clock: Clock;
  readonly #timeout: number;

  constructor(denylist: GuardedStore | null, epoch: Epoch | null, policy: Policy, clock: Clock, timeout: number) {
    this.denylist = denylist;
    this.#epoch = epoch;
    this.#policy = policy;
    this.#clock = clock;
    this.#timeout = timeout;
  }

  /** The tombstone on the denylist, if there is one. */
  find(key: string): MaybePromise<SessionRecord | null> {
    return this.denylist === null ? null : this.denylist.read(key);
  }

  /** Whether the user's epoch is later than the login. */
  isOutdated({ userId, authenticatedAt }: SessionRecord): MaybePromise<boolean> {
    const epoch = this.#epoch;
    if (epoch === null || userId === null) return false;
    const answer = guardCall("read the user's epoch", this.#timeout, () => epoch(userId));
    return whenReady(answer, time => {
      if (typeof time !== 'number' || Number.isNaN(time)) throw badEpoch();
      return (authenticatedAt as number) < time;
    });
  }

  /** Puts the tombstone of this session on the denylist. Answers with one that stood there already, `null` for none. */
  refuse(key: string, ended: SessionRecord, stone: SessionRecord): MaybePromise<SessionRecord | null> {
    // A copy of the cookie may have been prolonged further than this one: it is refused until no activity could have kept it alive.
    const expiresAt = Math.max(ended.expiresAt, latestEndOf(ended, this.#policy));
    return this.#put(key, { ...stone, expiresAt });
  }

  /** Refuses the session with this key, of which nothing else is known. `false`: it was refused before. */
  refuseKey(key: string): MaybePromise<boolean> {
    if (this.denylist === null)
      throw noAdmin('revoke', 'Give sealedCookieStore() a "denylist", or move the user\'s epoch.');
    const now = this.#clock();
    const stone: SessionRecord = {
      data: JSON.stringify({ reason: 'ended', at: now }),
      version: 1,
      userId: null,
      createdAt: now,
      authenticatedAt: null,
      lastSeenAt: now,
      expiresAt: latestEndOfAny(now, this.#policy),
      remember: false,
      device: null,
      successor: key,
    };
    return whenReady(this.#put(key, stone), standing => standing === null);
  }

  #put(key: string, stone: SessionRecord): MaybePromise<SessionRecord | null> {
    const { denylist } = this;
    if (denylist === null) return null;
    return whenReady(denylist.create(key, stone), created => (created ? null : denylist.read(key)));
  }
}

function badEpoch(): MadeleineError {
  return new MadeleineError(
    'ERR_OPTION_INVALID',
    'The function given as "epoch" did not answer with a number.',
    'Answer with milliseconds since 1970: 0 where nothing was revoked, Infinity for a user who is gone.',
  );
}
