import { describe, test } from 'node:test';
import { answerChecks } from './adapter-answer-checks.ts';
import { AdapterBench, type AdapterCheck } from './adapter-bench.ts';
import { gateChecks } from './adapter-gate-checks.ts';
import type { AdapterConformanceOptions } from './adapter-harness.ts';
import { sessionChecks } from './adapter-session-checks.ts';

/** Everything that must be true of this adapter, for runners other than `node:test`; `adapterConformance` runs it there. */
export function adapterChecks(options: AdapterConformanceOptions): AdapterCheck[] {
  const all = [...answerChecks(options), ...sessionChecks, ...gateChecks];
  return options.node ? all : all.filter(check => !check.node);
}

/** Runs one check, on servers of its own. */
export async function runAdapterCheck(check: AdapterCheck, options: AdapterConformanceOptions): Promise<void> {
  const bench = new AdapterBench(options);
  try {
    await check.run(bench);
  } finally {
    await bench.close();
  }
}

/** Registers tests with `node:test` that check through real sockets what every adapter promises. */
export function adapterConformance(options: AdapterConformanceOptions): void {
  describe(`${options.name} keeps what every adapter promises`, () => {
    for (const check of adapterChecks(options)) test(check.name, () => runAdapterCheck(check, options));
  });
}
