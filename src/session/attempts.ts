/** How long a compare-and-set that others keep winning goes on. */
import { MadeleineError } from '../errors.ts';

const MOST_ATTEMPTS = 50;
/** In milliseconds. */
const LONGEST_PAUSE = 50;

/** @throws MadeleineError `ERR_CONFLICT` when this attempt, counted from 1, was the last */
export function checkAttempts(attempt: number): void {
  if (attempt < MOST_ATTEMPTS) return;
  throw new MadeleineError(
    'ERR_CONFLICT',
    `The session was changed by others ${MOST_ATTEMPTS} times while this change was being saved.`,
    'Let the client try again; look for something that writes to one session without end.',
  );
}

/** Random, so that processes which collided do not collide again; longer with each attempt. */
export function pause(attempt: number): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE, 2 ** attempt);
  return new Promise(resolve => setTimeout(resolve, Math.random() * longest));
}
