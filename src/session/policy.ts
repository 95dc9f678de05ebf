/**
 * The time rules: the one place that decides whether a session still counts. It looks at the record's own times and at
 * the injected clock, never at the cookie, nor at what a store thinks has expired.
 */
import { CLOCK_SKEW } from '../clock.ts';
import { type Duration, toLifetime, toMilliseconds } from '../duration.ts';
import { MadeleineError } from '../errors.ts';
import type { SessionRecord } from './record.ts';

export interface LifetimeOptions {
  /** How long a session lives after the last request that used it. Default `'24h'`, or `absolute` if that is less. Not applied to a remembered login. */
  idle?: Duration | undefined;
  /** How long a session lives at most, from its login (an anonymous one: from its creation), however active. Default `'30d'`. */
  absolute?: Duration | undefined;
  /** How long a login with `remember: true` lives, from the login, used or not. Default `'30d'`. */
  remember?: Duration | undefined;
  /** How long an id that was replaced by `rotate()` still opens its session, for requests already under way. Default `'10s'`. */
  grace?: Duration | undefined;
}

/** The limits in milliseconds. */
export interface Policy {
  readonly idle: number;
  readonly absolute: number;
  readonly remember: number;
  readonly grace: number;
  /** A session is marked as seen only when the last mark is this old, so that reading does not write. */
  readonly touchAfter: number;
}

/** The defaults, as documented: within NIST SP 800-63B-4 section 2.1.3 (AAL1: 30 days at most). */
export const DEFAULT_LIFETIME: Readonly<Record<keyof LifetimeOptions, Duration>> = {
  idle: '24h',
  absolute: '30d',
  remember: '30d',
  grace: '10s',
};

/** In milliseconds. */
const LONGEST_TOUCH_INTERVAL = 5 * 60_000;

/** @throws MadeleineError `ERR_OPTION_INVALID`, `ERR_OPTION_CONFLICT` */
export function createPolicy(options: LifetimeOptions): Policy {
  const limit = (name: keyof LifetimeOptions) => (options[name] === undefined ? DEFAULT_LIFETIME[name] : options[name]);
  const lifetime = (name: 'idle' | 'absolute' | 'remember') => toLifetime(limit(name), name);
  const absolute = lifetime('absolute');
  const idle = options.idle === undefined ? Math.min(lifetime('idle'), absolute) : lifetime('idle');
  if (idle > absolute) {
    throw new MadeleineError(
      'ERR_OPTION_CONFLICT',
      'Option "idle" is longer than "absolute", so it would never apply.',
      'Make "absolute" the longer of the two.',
    );
  }
  return {
    idle,
    absolute,
    remember: lifetime('remember'),
    grace: toMilliseconds(limit('grace'), 'grace'),
    touchAfter: Math.min(LONGEST_TOUCH_INTERVAL, Math.floor(idle / 20)),
  };
}

type Times = Pick<SessionRecord, 'createdAt' | 'authenticatedAt' | 'lastSeenAt' | 'remember'>;

/** The moment at which a session with these times is over. */
export function endOf(times: Times, policy: Policy): number {
  const latest = latestEndOf(times, policy);
  return times.remember ? latest : Math.min(times.lastSeenAt + policy.idle, latest);
}

/** The moment at which it is over however much it is used. */
export function latestEndOf(times: Times, policy: Policy): number {
  return (times.authenticatedAt ?? times.createdAt) + (times.remember ? policy.remember : policy.absolute);
}

/** The moment at which every session is over that has begun by now, on whatever server. */
export function latestEndOfAny(now: number, policy: Policy): number {
  return now + CLOCK_SKEW + Math.max(policy.absolute, policy.remember);
}

/**
 * The record as a request at this moment leaves it: marked as seen where the last mark is old enough, or this is `asked`; else
 * the very same. No time moves back, though the clocks of two servers differ.
 */
export function markSeen(now: number, record: SessionRecord, policy: Policy, asked: boolean): SessionRecord {
  if (!asked && now - record.lastSeenAt < policy.touchAfter) return record;
  const seen = { ...record, lastSeenAt: Math.max(now, record.lastSeenAt) };
  seen.expiresAt = Math.max(endOf(seen, policy), record.expiresAt);
  return seen;
}

/**
 * Whether the session counts at this moment. `expiresAt` is honoured too, so that a policy made longer later revives
 * nothing; a record from the future is refused, so that a clock set back lengthens nothing.
 */
export function isLive(record: SessionRecord, now: number, policy: Policy): boolean {
  return now < record.expiresAt && now < endOf(record, policy) && !isAhead(record, now);
}

/**
 * Whether it was written by a clock that is ahead of ours. One of the two is wrong, and it may be ours. All three times are
 * looked at: spoilt data may hold a login in the future with a last use that is past, and would then count as just logged in.
 */
export function isAhead(record: SessionRecord, now: number): boolean {
  const latest = now + CLOCK_SKEW;
  return record.lastSeenAt > latest || record.createdAt > latest || (record.authenticatedAt ?? 0) > latest;
}
