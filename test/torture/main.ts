// npm run torture -- --minutes 10 --store sqlite --seed 7 --processes 4 --concurrency merge
import { parseArgs } from 'node:util';
import type { Concurrency } from 'madeleine';
import { type TortureReport, torture } from './torture.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    store: { type: 'string', default: 'sqlite' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    processes: { type: 'string', default: '4' },
    concurrency: { type: 'string', default: 'merge' },
  },
});
const LINE_EVERY = 30_000;
const { store, concurrency } = values;
const [minutes, seed, processes] = [values.minutes, values.seed, values.processes].map(Number) as [
  number,
  number,
  number,
];

console.log(`Torture of "${store}", concurrency "${concurrency}", --seed ${seed}`);
let nextLine = Date.now() + LINE_EVERY;
const report = await torture(
  { store, seed, processes, concurrency: concurrency as Concurrency, time: minutes * 60_000 },
  ({ rounds, operations, crashes }) => {
    if (Date.now() < nextLine) return;
    nextLine += LINE_EVERY;
    console.log(`${rounds} rounds, ${operations} operations, ${crashes} crashes`);
  },
);
console.log(summary(report));
process.exitCode = report.wrong.size === 0 ? 0 : 1;

function summary({ processes, rounds, operations, time, crashes, counts, wrong, words, seed }: TortureReport): string {
  const rate = Math.round(operations / (time / 1000));
  const table = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `  ${name} ${count}`);
  const verdict =
    wrong.size === 0
      ? ['Nothing was lost, nothing came back, everybody saw their own writes.']
      : [`WRONG: ${[...wrong].join(', ')}. Begin with that round by --seed ${seed}`, ...words];
  return [
    `${processes} processes, ${rounds} rounds, ${operations} operations, ${rate} a second, ${crashes} crashes`,
    ...table,
    ...verdict,
  ].join('\n');
}
