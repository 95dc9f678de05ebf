import { MadeleineError } from './errors.ts';

/**
 * The options as `ownOptions` gives them, where all are known: a slip of the pen shows at the start, and not as a setting that
 * silently does nothing. What is given as `undefined` is left out, so that no default is lost by it.
 *
 * @param what whose options these are, for the error: `'session'`
 * @param hints what to do about names that users bring from other libraries
 * @throws MadeleineError `ERR_OPTION_INVALID`, `ERR_OPTION_UNKNOWN`
 */
export function checkOptions<Options extends object>(
  given: Options,
  known: readonly string[],
  what: string,
  hints: Readonly<Record<string, string>> = {},
): Options {
  const options = ownOptions(given, what);
  const unknown = Object.keys(options).filter(name => !known.includes(name));
  if (unknown.length > 0) throw unknownOptions(unknown, known, what, hints);
  for (const name of Object.keys(options) as Array<keyof Options>)
    if (options[name] === undefined) delete options[name];
  return options;
}

/** How many unknown ones are named: what was given may be no options at all (a database client, say), and have thousands. */
const MOST_NAMED = 5;

function unknownOptions(
  unknown: readonly string[],
  known: readonly string[],
  what: string,
  hints: Readonly<Record<string, string>>,
): MadeleineError {
  const named = unknown
    .slice(0, MOST_NAMED)
    .map(name => ({ name: `"${name.slice(0, 64)}"`, hint: hintFor(name, known, hints) }));
  const names = named.map(({ name }) => name).join(', ');
  const more = unknown.length > MOST_NAMED ? ` and ${unknown.length - MOST_NAMED} more` : '';
  const problem =
    unknown.length > 1 ? `These are no ${what} options: ${names}${more}.` : `There is no ${what} option ${names}.`;
  const remedies = named.flatMap(({ name, hint }) =>
    hint === null ? [] : unknown.length > 1 ? `${name}: ${hint}` : hint,
  );
  const all = known.length > 0 ? `Known options: ${known.join(', ')}.` : 'There is none.';
  if (named.some(({ hint }) => hint === null)) remedies.push(all);
  return new MadeleineError('ERR_OPTION_UNKNOWN', problem, remedies.join(' '));
}

function hintFor(name: string, known: readonly string[], hints: Readonly<Record<string, string>>): string | null {
  if (Object.hasOwn(hints, name)) return hints[name] as string;
  const near = closest(name, known, 2);
  if (near !== undefined) return `Did you mean "${near}"?`;
  // Many of these names are short, and similar to others: of them only the exact name counts.
  return hints[closest(name, Object.keys(hints), 0) ?? ''] ?? null;
}

/**
 * A copy that holds the own properties alone: what a polluted prototype or `JSON.parse` brought along counts for nothing. Also told
 * apart: `app.use(session)`, where the framework hands a request to what should have been called before.
 *
 * @throws MadeleineError `ERR_OPTION_INVALID`
 */
export function ownOptions<Options extends object>(given: Options, what: string): Options {
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    throw new MadeleineError(
      'ERR_OPTION_INVALID',
      `The ${what} options are not an object.`,
      typeof given === 'function'
        ? 'Pass an object of options, or none; a handler goes into what is given back: requireLogin()(handler).'
        : 'Pass an object of options.',
    );
  }
  if (!('req' in given) && !('method' in given && 'url' in given)) return Object.assign(Object.create(null), given);
  throw new MadeleineError(
    'ERR_OPTION_INVALID',
    `The ${what} options are a request: what makes the ${what} was handed over without being called.`,
    'Call it where you hand it over: session({ … }) instead of session, requireLogin() instead of requireLogin.',
  );
}

/** The error for a wrong value. @param problem goes on after the option's name: `'is not text'` */
export function invalidOption(option: string, problem: string, remedy: string): MadeleineError {
  return new MadeleineError('ERR_OPTION_INVALID', `Option "${option}" ${problem}.`, remedy);
}

/**
 * @param others what else is allowed, in words: the caller has checked that it is none of those
 * @throws MadeleineError `ERR_OPTION_INVALID` where the value is none of the choices
 */
export function checkChoice(
  option: string,
  value: unknown,
  choices: readonly unknown[],
  others: readonly string[] = [],
): void {
  if (choices.includes(value)) return;
  const all = [...choices.map(choice => (typeof choice === 'string' ? `'${choice}'` : String(choice))), ...others];
  const remedy = `Use ${all.slice(0, -1).join(', ')} or ${all.at(-1)}.`;
  throw invalidOption(option, 'has a value that it cannot have', remedy);
}

/** @throws MadeleineError `ERR_OPTION_INVALID` where the value is no positive whole number */
export function checkPositive(option: string, value: number, remedy: string): void {
  if (Number.isSafeInteger(value) && value > 0) return;
  throw invalidOption(option, 'is not a positive whole number', remedy);
}

/** Which of these methods the value lacks: all of them, if it is no object. */
export function missingMethods(value: unknown, names: readonly string[]): readonly string[] {
  if (value === null || typeof value !== 'object') return names;
  return names.filter(name => typeof (value as Record<string, unknown>)[name] !== 'function');
}

/** The known name that differs least, by at most so many letters or a third of its own. */
function closest(name: string, known: readonly string[], letters: number): string | undefined {
  const ranked = known
    .map(candidate => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(letters, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/** Levenshtein's: how many letters have to be put in, taken out or exchanged. */
function editDistance(a: string, b: string): number {
  if (a.length > 64) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const exchange = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, exchange));
    }
    row = next;
  }
  return row[b.length] as number;
}
