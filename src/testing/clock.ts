import type { Clock } from '../clock.ts';
import { type Duration, toMilliseconds } from '../duration.ts';

/** A clock that stands still until it is told otherwise. Give it wherever a `clock` is taken. */
export interface TestClock extends Clock {
  /** Moves the time forward. */
  advance(duration: Duration): void;
  /** Sets the time, backward too, in milliseconds since 1970. */
  set(now: number): void;
}

/** A test clock that begins at `start`, in milliseconds since 1970. Default: the first moment of 2026, UTC. */
export function createTestClock(start: number = Date.UTC(2026, 0, 1)): TestClock {
  let now = start;
  return Object.assign(() => now, {
    advance(duration: Duration): void {
      now += toMilliseconds(duration, 'duration');
    },
    set(time: number): void {
      now = time;
    },
  });
}
