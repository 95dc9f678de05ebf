/** What the stores over a database server share: connection strings, table names, the schema, errors and second tries. */
import { type ErrorCode, MadeleineError } from '../errors.ts';

/**
 * After so many milliseconds a connection is given up that does not answer, and so is the wait for one: by then nobody
 * waits for the session any more, but a connection kept for ever would be one less for those who come.
 */
export const STATEMENT_TIMEOUT = 10_000;
export const CONNECT_TIMEOUT = 5_000;

/** @throws MadeleineError `ERR_STORE_INVALID` when it is not a URL of one of these protocols; it may hold a password, so it is not shown */
export function checkUrl(url: string, protocols: readonly string[], example: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed && protocols.includes(parsed.protocol)) return;
  const problem = parsed ? 'names another kind of server' : 'is not a URL';
  throw new MadeleineError('ERR_STORE_INVALID', `The connection string ${problem}.`, `Give one such as ${example}`);
}

/** A name in the quotes of the database's SQL. */
export function quoteName(name: string, option: string, quote: string): string {
  if (typeof name === 'string' && name.trim() !== '' && !name.includes('\0')) {
    return quote + name.replaceAll(quote, quote + quote) + quote;
  }
  throw new MadeleineError('ERR_OPTION_INVALID', `Option "${option}" is not a name.`, "Give one, such as 'sessions'.");
}

/** Does it once for all who ask; when it failed, or is to be done again, it is done for the next one. */
export interface Once {
  (): Promise<void>;
  again(): void;
}

export function once(run: () => Promise<void>): Once {
  let done: Promise<void> | null = null;
  const again = () => {
    done = null;
  };
  const ask = () => {
    done ??= run().catch((error: unknown) => {
      again();
      throw error;
    });
    return done;
  };
  return Object.assign(ask, { again });
}

/**
 * Makes the schema, or completes an older one, whichever of many starting processes comes first. Step n leads from version
 * n to n + 1, and a database does one step of a table once: who comes second is refused, and then finds it done. That
 * needs no lock, which some databases lack.
 *
 * @throws MadeleineError `ERR_STORE_INVALID` when the schema is newer than this code
 */
export async function migrate(
  steps: readonly string[],
  readVersion: () => Promise<number>,
  take: (step: string) => Promise<unknown>,
): Promise<void> {
  for (;;) {
    const version = await readVersion();
    if (version > steps.length) throw newerSchema(version, steps.length);
    const step = steps[version];
    if (step === undefined) return;
    try {
      await take(step);
    } catch (error) {
      if ((await readVersion()) <= version) throw error;
    }
  }
}

export function newerSchema(version: number | bigint, known: number): MadeleineError {
  return new MadeleineError(
    'ERR_STORE_INVALID',
    `The sessions in this database have schema version ${version}; this madeleine knows versions up to ${known}.`,
    'A newer madeleine wrote them: update this one.',
  );
}

/** The schema's version stands in the table's comment: it comes and goes with the table, and takes no second table. */
export const versionComment = (version: number): string => `madeleine schema ${version}`;

/** A table whose comment was lost, as in a dump without comments, counts as the first version. */
export function versionIn(comment: string | null): number {
  return Number(/madeleine schema (\d+)/.exec(comment ?? '')?.[1] ?? 1);
}

const MOST_ATTEMPTS = 8;

/**
 * Tries again what the database undid as a whole because of others who wrote at the same moment, each time after a longer
 * and random while.
 */
export async function retrying<T>(run: () => Promise<T>, isUndone: (error: unknown) => boolean): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (attempt === MOST_ATTEMPTS || !isUndone(error)) throw error;
      await new Promise(resolve => setTimeout(resolve, Math.random() * 2 ** attempt));
    }
  }
}

/** What a person has to do about an error of a server, by the server's own code. */
export type Remedies = Readonly<Record<string, Remedy>>;
type Remedy = readonly [code: ErrorCode, problem: string, remedy: string];

export const FOREIGN_TABLE: Remedy = [
  'ERR_STORE_INVALID',
  'The table for sessions is not one that madeleine made.',
  'Give another name with option "table".',
];

export const NO_CONNECTION_LEFT: Remedy = [
  'ERR_STORE_FAILED',
  'The database server has no connection left.',
  'Raise its limit, give each process a smaller pool, or put a pooler between.',
];

const UNREACHABLE: Remedy = [
  'ERR_STORE_FAILED',
  'The database server cannot be reached.',
  'See whether it runs, and whether host and port in the connection string are right.',
];

const NETWORK: Remedies = {
  ECONNREFUSED: UNREACHABLE,
  ENOTFOUND: UNREACHABLE,
  EAI_AGAIN: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  ETIMEDOUT: UNREACHABLE,
};

/** The error with its remedy, if one is known; else the error as it is. */
export function explained(cause: unknown, remedies: Remedies): unknown {
  const code = codeOf(cause);
  const found = code === undefined ? undefined : (remedies[code] ?? NETWORK[code]);
  return found ? new MadeleineError(...found, { cause }) : cause;
}

export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | null)?.code;
}
