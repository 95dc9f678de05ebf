import { invalidOption } from './options.ts';

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** A length of time: milliseconds as a number, or a whole number with its unit: `'500ms'`, `'30s'`, `'15m'`, `'2h'`, `'30d'`, `'4w'`. */
export type Duration = number | `${number}${keyof typeof UNITS}`;

/** 31,000 years, in milliseconds. Much later than that there is no Date, and then no whole number that is exact. */
const LONGEST = 999_999_999_999_999;

/**
 * The length in milliseconds.
 *
 * @param option the option's name, for the error
 * @throws MadeleineError `ERR_OPTION_INVALID` when it is not a positive whole number of a known unit, or longer than 31,000 years
 */
export function toMilliseconds(duration: Duration, option: string): number {
  const length = typeof duration === 'number' ? duration : lengthOf(duration);
  if (length > 0 && length <= LONGEST && Number.isInteger(length)) return length;
  throw invalidOption(
    option,
    'is not a duration',
    "Give milliseconds as a positive whole number, or text such as '30m', '12h' or '14d'.",
  );
}

function lengthOf(text: string): number {
  const parts = typeof text === 'string' ? /^(\d{1,15})(ms|s|m|h|d|w)$/.exec(text) : null;
  return parts ? Number(parts[1]) * UNITS[parts[2] as keyof typeof UNITS] : 0;
}

/** The longest that a timer of Node waits, 24 days and 20 hours; one that is given more runs at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The same for a timer: as long as one can wait at most. @throws MadeleineError `ERR_OPTION_INVALID` */
export function toTimer(duration: Duration, option: string): number {
  return Math.min(toMilliseconds(duration, option), LONGEST_TIMER);
}

/**
 * The same of how long something lives. Nobody means less than a second: it is a number of seconds or minutes that was taken for
 * milliseconds, and browsers count in seconds.
 */
export function toLifetime(duration: Duration, option: string): number {
  const length = toMilliseconds(duration, option);
  if (length >= UNITS.s) return length;
  throw invalidOption(option, 'is less than a second', "A number is milliseconds: write '30m', '12h' or '14d'.");
}
