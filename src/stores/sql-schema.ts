/** Makes a schema, or completes an older one, whichever of many starting processes comes first. */
import { MadeleineError } from '../errors.ts';

/**
 * Step n leads from version n to n + 1. A server takes each step of a table once: who comes second is refused, and finds it
 * done when he looks again. That needs no lock, which some databases lack.
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

/** On a server the version stands in the table's comment: it comes and goes with the table, in one step. */
export const versionComment = (version: number): string => `madeleine schema ${version}`;

/** A table whose comment was lost, as by a dump without comments, counts as the first version. */
export function versionIn(comment: string): number {
  return Number(/madeleine schema (\d+)/.exec(comment)?.[1] ?? 1);
}

export function newerSchema(version: number | bigint, known: number): MadeleineError {
  return new MadeleineError(
    'ERR_STORE_INVALID',
    `The sessions in this database have schema version ${version}; this madeleine knows versions up to ${known}.`,
    'A newer madeleine wrote them: update this one.',
  );
}

export function oldServer(server: string, remedy: string): MadeleineError {
  return new MadeleineError('ERR_STORE_INVALID', `The database server is too old for the store: ${server}.`, remedy);
}
