/** What the errors of a database server mean: something for a person to do, or a second try. */
import { type ErrorCode, MadeleineError } from '../errors.ts';

type Remedy = readonly [code: ErrorCode, problem: string, remedy: string];
/** What a person has to do about an error, by the server's code for it. */
export type Remedies = Readonly<Record<string, Remedy>>;

/** What the servers have in common. */
export const REMEDY: Readonly<
  Record<'refused' | 'noDatabase' | 'noRights' | 'foreignTable' | 'noConnection' | 'readOnly', Remedy>
> = {
  refused: [
    'ERR_STORE_INVALID',
    'The database server refuses the user or the password.',
    'Correct user and password in the connection string; the server may also want TLS, or not let this host in.',
  ],
  noDatabase: [
    'ERR_STORE_INVALID',
    'The database does not exist, or the connection string names none.',
    'Create it with CREATE DATABASE, or correct its name in the connection string.',
  ],
  noRights: [
    'ERR_STORE_INVALID',
    'The database user lacks rights on the table of sessions.',
    'GRANT SELECT, INSERT, UPDATE, DELETE on it, and CREATE to make it.',
  ],
  foreignTable: [
    'ERR_STORE_INVALID',
    'The table for sessions is not one that madeleine made.',
    'Give another name with option "table".',
  ],
  noConnection: [
    'ERR_STORE_FAILED',
    'The database server has no connection left.',
    'Raise its limit, give each process a smaller pool, or put a pooler between.',
  ],
  readOnly: [
    'ERR_STORE_FAILED',
    'The database server takes no writes.',
    'It is a replica, or was set to be read-only: lead the store to the primary server.',
  ],
};

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
function explained(cause: unknown, remedies: Remedies): unknown {
  const code = codeOf(cause) ?? '';
  const remedy = remedies[code] ?? NETWORK[code];
  return remedy ? new MadeleineError(...remedy, { cause }) : cause;
}

export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | null | undefined)?.code;
}

const MOST_ATTEMPTS = 8;

/**
 * Runs a statement; again, after a longer and random while each time, when the database undid it as a whole because of others who
 * wrote at the same moment. What it fails with in the end comes with its remedy. A statement that succeeds costs one promise here.
 */
export function running<T>(
  run: () => Promise<T>,
  undone: readonly string[],
  remedies: Remedies,
  attempt = 1,
): Promise<T> {
  return run().catch(async (error: unknown) => {
    if (attempt === MOST_ATTEMPTS || !undone.includes(codeOf(error) ?? '')) throw explained(error, remedies);
    await new Promise(resolve => setTimeout(resolve, Math.random() * 2 ** attempt));
    return running(run, undone, remedies, attempt + 1);
  });
}
