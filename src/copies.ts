/** Two copies of this package in one process share nothing, neither the gate before a response nor the class of errors: a warning. */
import { PACKAGE_URL } from './package-url.ts';
import type { Warn } from './warnings.ts';

const COPIES: unique symbol = Symbol.for('madeleine.copies');

/** Warns where another copy has come before this one, and says where both are. */
export function warnOfCopies(warn: Warn): void {
  const shared = globalThis as { [COPIES]?: Set<string> };
  shared[COPIES] ??= new Set();
  const copies = shared[COPIES].add(PACKAGE_URL.href);
  if (copies.size < 2) return;
  warn(
    'MADELEINE_TWICE',
    `There are ${copies.size} copies of madeleine in this process: ${[...copies].join(' and ')}. They do not know of each other's sessions. Run "npm ls madeleine", and let all use one.`,
  );
}
