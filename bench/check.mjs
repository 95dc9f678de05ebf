// `npm run bench:check`: figures that do not depend on how busy the machine is, beside those recorded in expected.json.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { instructionFigures } from './instructions.mjs';
import { allocationFigures, countFigures, selfTimeFigures } from './per-request.mjs';
import { aligned } from './report.mjs';
import { roundTripFigures } from './server-figures.mjs';
import { known } from './settings.mjs';
import { sizeFigures } from './size.mjs';
import { FAILURES, verdictOn } from './verdict.mjs';

const ANY_NODE = 'any Node';
const THIS_NODE = `Node ${process.versions.node.split('.')[0]}`;

/** `slack`: the part of the recorded figure by which it may grow. `section`: where it is recorded. */
const PARTS = {
  counts: { measure: countFigures, slack: 0, section: ANY_NODE, says: 'store calls and promises of a request' },
  size: { measure: sizeFigures, slack: 0.02, section: ANY_NODE, says: 'files of madeleine/express, bytes gzipped' },
  allocations: { measure: allocationFigures, slack: 0.05, section: THIS_NODE, says: 'bytes on the heap of a request' },
  stores: { measure: roundTripFigures, slack: 0, section: ANY_NODE, says: 'round trips to real servers' },
  instructions: { measure: instructionFigures, slack: 0.03, section: THIS_NODE, says: 'instructions of a request' },
  'self-time': {
    measure: selfTimeFigures,
    slack: 0.25,
    section: THIS_NODE,
    says: 'per cent of the time that our files take',
  },
};
const BY_DEFAULT = ['counts', 'size', 'allocations'];
/** Each has a flag of its name. */
const IF_ASKED = Object.keys(PARTS).filter(name => !BY_DEFAULT.includes(name));
const RECORDED = path.join(import.meta.dirname, 'expected.json');

const HELP = `npm run bench:check -- [flags]

Compares the present build with recorded figures, and ends with 1 if one of them has grown.

${Object.entries(PARTS)
  .map(
    ([name, { says, slack }]) =>
      `      ${name.padEnd(13)} ${says} (${slack === 0 ? 'exact' : `within ${100 * slack} %`})`,
  )
  .join('\n')}

  --stores              ${BY_DEFAULT.join(', ')}, and stores, which starts the servers
  --instructions        and instructions, which takes minutes and valgrind
  --self-time           and self-time, from profiles, which takes a minute
  --parts a,b           these parts alone
  --record              takes the figures of now for the recorded ones
  --expected FILE       where they are recorded (bench/expected.json)`;

const FLAGS = {
  ...Object.fromEntries(IF_ASKED.map(name => [name, { type: 'boolean', default: false }])),
  parts: { type: 'string' },
  record: { type: 'boolean', default: false },
  expected: { type: 'string', default: RECORDED },
  help: { type: 'boolean', default: false },
};

async function main() {
  const { values } = parseArgs({ options: FLAGS });
  if (values.help) return console.log(HELP);
  const parts = values.parts
    ? known('parts', values.parts.split(','), PARTS)
    : [...BY_DEFAULT, ...IF_ASKED.filter(name => values[name])];
  const expected = JSON.parse(readFileSync(values.expected, 'utf8'));
  const table = [['figure', 'recorded', 'now', 'verdict']];
  const verdicts = [];
  for (const name of parts) {
    const { says, section } = PARTS[name];
    if (!expected[section] && !values.record) {
      table.push([`${name}: left out, because it depends on Node, and nothing is recorded for ${THIS_NODE}`]);
      continue;
    }
    const figures = await PARTS[name].measure();
    const rows = compare(figures, expected[section]?.[name] ?? {}, PARTS[name]);
    table.push([`${name}: ${says}`], ...rows);
    verdicts.push(...rows.map(row => row.at(-1)));
    expected[section] = { ...expected[section], [name]: figures };
  }

  const regressed = verdicts.filter(verdict => FAILURES.includes(verdict)).length;
  if (values.record) writeFileSync(values.expected, `${JSON.stringify(expected, null, 2)}\n`);
  else if (regressed > 0) process.exitCode = 1;
  console.log(
    `${aligned(table)}\n\n${values.record ? 'Recorded. ' : ''}${verdicts.length} checked, ${regressed} regressed`,
  );
}

/** @returns a row for each figure of now, and for each that was recorded and is no longer there */
function compare(figures, recorded, { slack }) {
  return [...new Set([...Object.keys(figures), ...Object.keys(recorded)])].map(name => [
    name,
    recorded[name]?.toString() ?? '-',
    figures[name]?.toString() ?? '-',
    verdictOn(figures[name], recorded[name], slack),
  ]);
}

main().catch(error => {
  console.error(`The check was stopped: ${error.message}`);
  process.exitCode = 1;
});
