import type { TestContext } from 'node:test';

export type Warning = Error & { code?: string };

/** What the process warns of from now on, Node's own warnings too; until the test is over (on Deno, until all tests of the file are). */
export function warningsIn(context: Pick<TestContext, 'after'>): Warning[] {
  const warnings: Warning[] = [];
  const hear = (warning: Warning): void => void warnings.push(warning);
  process.on('warning', hear);
  context.after(() => void process.removeListener('warning', hear));
  return warnings;
}

/** The same, of this package alone. */
export function ownWarnings(warnings: readonly Warning[]): Warning[] {
  return warnings.filter(({ name }) => name === 'MadeleineWarning');
}
