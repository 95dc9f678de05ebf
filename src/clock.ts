import { invalidOption } from './options.ts';

/** Tells the time in milliseconds since 1970, as `Date.now` does. Everything that asks for the time takes one. */
export type Clock = () => number;

/** How far the clock of another server may be ahead of ours before what it made is refused, in milliseconds. */
export const CLOCK_SKEW: number = 5 * 60_000;

/**
 * Option "clock"; by default the machine's clock, looked up at each call so that nothing is captured at import time. Of one
 * that tells fractions, as `performance.now()` does, they are dropped: times are kept as whole numbers.
 *
 * @throws MadeleineError `ERR_OPTION_INVALID` when it is not a function
 */
export function checkClock(clock?: Clock): Clock {
  if (clock === undefined) return () => Date.now();
  if (typeof clock === 'function') return () => Math.floor(clock());
  throw invalidOption('clock', 'is not a function', 'Give a function like Date.now.');
}
