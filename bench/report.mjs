// What is printed.
import os from 'node:os';
import { loudness, summary } from './statistics.mjs';

export function machine() {
  return {
    node: process.version,
    system: `${os.platform()} ${os.arch()}`,
    cores: os.availableParallelism(),
    processor: os.cpus()[0]?.model.trim() ?? 'unknown processor',
    loadAverage: os.loadavg()[0],
  };
}

export function describe({ node, system, cores, processor, loadAverage }, settings, places) {
  const pinned = places.pinned ? `server on core ${places.server}, load on core ${places.load}` : 'not pinned';
  return [
    `Node ${node}, ${system}, ${cores} cores (${processor}), load average ${loadAverage.toFixed(2)} at start; ${pinned}.`,
    `${settings.rounds} rounds of ${settings.seconds} s, ${settings.connections} connections, ` +
      `${settings.sessions} sessions of 1 KB (${settings.data}).`,
  ].join('\n');
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

export function table(results, roundTrips = {}) {
  const rows = results.flatMap(({ kind, variants }) => [
    [`${kind}:`],
    ...variants.map(({ variant, requestsPerSecond, cpuPerRequest, cpuAdded, throughputOfBare, cpuLeavesOfBare }) => [
      `  ${variant}`,
      requestsPerSecond.median.toFixed(0),
      ...ratio(variant, throughputOfBare),
      cpuPerRequest.median.toFixed(1),
      variant === 'bare' ? '' : cpuAdded.median.toFixed(1),
      ...ratio(variant, cpuLeavesOfBare),
      roundTrips[variant]?.[kind].toString() ?? '',
    ]),
  ]);
  return aligned([HEADS, ...rows]);
}

function ratio(variant, { median, low, high }) {
  return variant === 'bare' ? ['1', ''] : [median.toFixed(2), `${low.toFixed(2)}-${high.toFixed(2)}`];
}

function aligned(rows) {
  const widths = HEADS.map((_, column) => Math.max(...rows.map(row => (row[column] ?? '').length)));
  const line = row =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  ');
  return rows.map(row => line(row).trimEnd()).join('\n');
}

/** Ours beside the peer on the same server, round by round. */
export function beside(results, ours, peer) {
  return results
    .map(({ kind, rounds }) => {
      const part = figure => summary(rounds.map(round => round[ours][figure] / round[peer][figure])).median.toFixed(2);
      return `${ours}, ${kind}: ${part('requestsPerSecond')} times the throughput of ${peer}, ${part('cpuPerRequest')} of its CPU time per request.`;
    })
    .join('\n');
}

/** How far the figures can be trusted. */
export function caveats(results) {
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
  return lines.join('\n');
}

function verdict(loudest, rounds) {
  if (rounds < 5) return 'too few rounds to tell';
  if (loudest < 0.05) return 'a quiet machine';
  return loudest < 0.15 ? 'some noise' : 'a noisy machine: run it again with more rounds';
}
