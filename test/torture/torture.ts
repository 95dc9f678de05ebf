// Rounds of torture on one store until the time is over or something is wrong.
import { check } from './check.ts';
import { describeViolation } from './describe.ts';
import type { Entry } from './history.ts';
import { playRound } from './round.ts';
import type { ServerOptions } from './server.ts';
import { Servers } from './servers.ts';
import { STORES } from './stores.ts';
import type { Kind } from './verdict.ts';

export interface TortureOptions {
  /** A name in `STORES`. */
  store: string;
  seed: number;
  concurrency: ServerOptions['concurrency'];
  /** How many servers, where the store can be shared. */
  processes: number;
  /** In milliseconds; the round that has begun is played to its end. */
  time: number;
}

export interface TortureReport {
  rounds: number;
  /** How many of which kind had which outcome: `append: acknowledged`. */
  counts: Map<string, number>;
  operations: number;
  /** How many servers there were. */
  processes: number;
  /** In milliseconds, without starting the servers and without judging. */
  time: number;
  crashes: number;
  /** What was wrong in the last round, by kind, and in words. */
  wrong: Set<Kind>;
  words: string[];
  /** Plays the last round first. */
  seed: number;
}

/** The same for everybody: a seed then means the same steps in a test and on the command line. */
const ROUND = { browsers: 5, tabs: 3, steps: 40 };
const CRASH_EVERY = 250;
const MOST_WORDS = 5;

/** @param onRound is told of each round when it was judged */
export async function torture(
  options: TortureOptions,
  onRound: (report: TortureReport) => void = () => {},
): Promise<TortureReport> {
  const { store, concurrency, seed } = options;
  const tortured = STORES[store];
  if (!tortured) throw new Error(`There is no store "${store}": give one of ${Object.keys(STORES).join(', ')}.`);
  const place = await tortured.prepare();
  const processes = tortured.shared ? options.processes : 1;
  const servers = await Servers.start(processes, { store, place: place.name, concurrency });
  const report: TortureReport = {
    ...{ processes, rounds: 0, counts: new Map(), operations: 0, time: 0, crashes: 0 },
    ...{ wrong: new Set(), words: [], seed },
  };
  try {
    const end = Date.now() + options.time;
    do {
      report.seed = seed + report.rounds;
      const began = performance.now();
      const history = await playRound(servers, {
        ...ROUND,
        seed: report.seed,
        crashEvery: tortured.shared ? CRASH_EVERY : null,
      });
      report.time += performance.now() - began;
      report.rounds++;
      report.crashes += history.crashes.length;
      countAll(history.entries, report);
      const violations = check(history);
      report.wrong = new Set(violations.map(({ kind }) => kind));
      report.words = violations.slice(0, MOST_WORDS).map(violation => describeViolation(violation, history));
      onRound(report);
    } while (report.wrong.size === 0 && Date.now() < end);
  } finally {
    await servers.close();
    await place.release();
  }
  return report;
}

function countAll(entries: readonly Entry[], report: TortureReport): void {
  report.operations += entries.length;
  for (const { operation, outcome } of entries) {
    const name = `${operation.kind}: ${outcome}`;
    report.counts.set(name, (report.counts.get(name) ?? 0) + 1);
  }
}
