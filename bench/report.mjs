// What is printed.
import os from 'node:os';
import { KINDS } from './kinds.mjs';
import { loudness, summary } from './statistics.mjs';
import { remembers } from './variants.mjs';

export function machine() {
  return {
    node: process.version,
    system: `${os.platform()} ${os.arch()}`,
    cores: os.availableParallelism(),
    processor: os.cpus()[0]?.model.trim() ?? 'unknown processor',
    loadAverage: os.loadavg()[0],
  };
}

export function describe(computer, places, { cookies }) {
  const pinned = places.pinned ? `server on core ${places.server}, load on core ${places.load}` : 'not pinned';
  const where = cookies ? 'one process, not pinned' : pinned;
  return `${describeMachine(computer)}; ${where}.`;
}

export const describeMachine = ({ node, system, cores, processor, loadAverage }) =>
  `Node ${node}, ${system}, ${cores} cores (${processor}), load average ${loadAverage.toFixed(2)} at start`;

export function loadWords({ rounds, seconds, connections, sessions, data }) {
  return `${rounds} rounds of ${seconds} s, ${connections} connections, ${sessions} sessions of 1 KB, or of what the kind says (${data}).`;
}

const HEADS = [
  '',
  'requests/s',
  'of bare',
  'spread',
  'CPU µs/request',
  'adds',
  'leaves of bare',
  'spread',
  'round trips',
];

/** A table: the heads, then a row of one cell for each kind, and the rows of its variants. */
export function rowsOf(results, roundTrips = {}) {
  const isCounted = Object.keys(roundTrips).length > 0;
  const rows = results.flatMap(({ kind, variants }) => [
    [`${kind}: ${KINDS[kind].says}`],
    ...variants.map(({ variant, requestsPerSecond, cpuPerRequest, cpuAdded, throughputOfBare, cpuLeavesOfBare }) => [
      variant,
      requestsPerSecond.median.toFixed(0),
      ...ratioCells(variant === 'bare', throughputOfBare),
      cpuPerRequest.median.toFixed(1),
      variant === 'bare' ? '' : cpuAdded.median.toFixed(1),
      ...ratioCells(variant === 'bare', cpuLeavesOfBare),
      ...(isCounted ? [roundTrips[variant]?.[kind]?.toString() ?? ''] : []),
    ]),
  ]);
  return [HEADS.slice(0, isCounted ? undefined : -1), ...rows];
}

/** Two cells: the ratio and its spread; to what is compared with itself there is none. */
export function ratioCells(isItself, figures) {
  return isItself ? ['1', ''] : [figures.median.toFixed(2), spread(figures)];
}

export const spread = ({ low, high }) => `${low.toFixed(2)}-${high.toFixed(2)}`;

/** Rows as text. One of a single cell is a heading, and widens no column. */
export function aligned([heads, ...rows]) {
  const isHeading = row => row.length === 1;
  const indented = rows.map(([first, ...rest]) => [rest.length === 0 ? first : `  ${first}`, ...rest]);
  const measured = [heads, ...indented.filter(row => !isHeading(row))];
  const widths = heads.map((_, column) => Math.max(...measured.map(row => (row[column] ?? '').length)));
  const line = row =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  ');
  return [heads, ...indented].map(row => line(row).trimEnd()).join('\n');
}

/** Ours beside each peer, round by round. */
export function beside(results) {
  return results.flatMap(({ kind, rounds }) => {
    const names = Object.keys(rounds[0]).filter(remembers);
    const isOurs = name => name.startsWith('madeleine');
    return names.filter(isOurs).flatMap(ours =>
      names
        .filter(name => !isOurs(name))
        .map(peer => {
          const part = figure => summary(rounds.map(round => round[ours][figure] / round[peer][figure]));
          const [throughput, cpu] = [part('requestsPerSecond'), part('cpuPerRequest')].map(of => of.median.toFixed(2));
          return `${ours}, ${kind}: ${throughput} times the throughput of ${peer}, ${cpu} of its CPU time per request.`;
        }),
    );
  });
}

/** How far the figures can be trusted. */
export function caveats(results) {
  if (results.length === 0) return ['Nothing was measured.'];
  const loudest = Math.max(
    ...results.flatMap(({ rounds }) =>
      Object.keys(rounds[0]).map(variant => loudness(rounds.map(round => round[variant].cpuPerRequest))),
    ),
  );
  const busiest = Math.max(
    ...results.flatMap(({ rounds }) => rounds.flatMap(round => Object.values(round).map(({ loadBusy }) => loadBusy))),
  );
  const lines = [
    `Loudness: the middle half of the rounds differs by up to ${(100 * loudest).toFixed(0)} % in CPU time per request ` +
      `(${verdict(loudest, results[0].rounds.length)}).`,
  ];
  if (busiest > 0.9) {
    lines.push(
      `The load generator was up to ${(100 * busiest).toFixed(0)} % busy: believe the CPU time, not the throughput.`,
    );
  }
  return lines;
}

function verdict(loudest, rounds) {
  if (rounds < 5) return 'too few rounds to tell';
  if (loudest < 0.05) return 'a quiet machine';
  return loudest < 0.15 ? 'some noise' : 'a noisy machine: run it again with more rounds';
}
