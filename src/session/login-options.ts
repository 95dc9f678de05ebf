/** What `login` is given, checked: whoever is remembered by a slip of the pen stays logged in for a month. */
import { MadeleineError } from '../errors.ts';
import { isWellFormed } from '../json.ts';
import { checkOptions, invalidOption } from '../options.ts';

/** Keys of the data, and `'flash'`: the messages for the next page. */
export type KeptKeys<Data extends object> = readonly ((keyof Data & string) | 'flash')[];

export interface LoginOptions<Data extends object = Record<string, unknown>> {
  /** Keep the login when the browser closes, for the `remember` lifetime. Default: as it is for who logs in again; else `false`. */
  remember?: boolean | undefined;
  /** Which keys of what the visitor gathered before the login go along. Default: all of them. */
  keep?: KeptKeys<Data> | undefined;
}

const LONGEST_USER_ID = 512;

/** @throws MadeleineError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_INVALID` */
export function checkLoginOptions(options: LoginOptions): LoginOptions {
  const given = checkOptions(options, ['remember', 'keep'], 'login');
  const { remember, keep } = given;
  if (remember !== undefined && typeof remember !== 'boolean') {
    throw invalidOption(
      'remember',
      'is neither true nor false',
      "A form sends text, and 'off' would count as true: write remember: req.body.remember === 'on'.",
    );
  }
  if (keep !== undefined) checkKeep(keep);
  return given;
}

/** @throws MadeleineError `ERR_OPTION_INVALID` */
export function checkKeep(keep: readonly string[]): void {
  if (Array.isArray(keep) && keep.every(key => typeof key === 'string')) return;
  throw invalidOption('keep', 'is not a list of keys', "Give one such as ['cart'].");
}

/** @param asked the method that was given it, for the error @throws MadeleineError `ERR_OPTION_INVALID` */
export function checkUserId(userId: string | number, asked = 'login'): string {
  const text = typeof userId === 'number' ? String(userId) : userId;
  // Half a surrogate pair becomes another character in a database, and two users would be one.
  const wellFormed = typeof text === 'string' && isWellFormed(text);
  if (wellFormed && text !== '' && text !== 'NaN' && text.length <= LONGEST_USER_ID) return text;
  throw new MadeleineError(
    'ERR_OPTION_INVALID',
    `${asked}() was not given a user id.`,
    `Pass the user's id as text of 1 to ${LONGEST_USER_ID} characters, or as a number.`,
  );
}
