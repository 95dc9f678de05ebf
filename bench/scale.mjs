// `npm run bench:scale`: what becomes of sessions when there are a million of them, four processes, or a megabyte in one. Each
// part runs in a process of its own, so that no heap holds what another part left. Figures and goals are printed; nothing fails.
import { parseArgs } from 'node:util';
import { chart } from './chart.mjs';
import { Child } from './child.mjs';
import { markdown } from './markdown.mjs';
import { aligned, describeMachine, machine } from './report.mjs';
import { save } from './save.mjs';
import { known, positive } from './settings.mjs';

const PARTS = {
  memory: 'bytes of a session beside express-session, given back after expiry, pauses',
  flat: 'cost of an operation in memory at 1,000 to 1,000,000 sessions',
  rows: 'SQLite and Postgres with 1,000,000 rows beside 1,000, and pruning them',
  processes: 'four server processes behind one Redis beside one process',
  large: 'sessions of 64 KB to 1 MB: what a kilobyte costs',
};

const HELP = `npm run bench:scale -- [flags]

  --parts a,b           all of them, if not said:
${Object.entries(PARTS)
  .map(([name, says]) => `      ${name.padEnd(10)} ${says}`)
  .join('\n')}
  --sessions 1000000    of memory, flat and rows
  --json FILE           writes every figure
  --markdown FILE       writes the tables
  --chart FILE          draws the part flat (SVG)`;

const FLAGS = {
  parts: { type: 'string', default: Object.keys(PARTS).join(',') },
  sessions: { type: 'string', default: '1000000' },
  json: { type: 'string' },
  markdown: { type: 'string' },
  chart: { type: 'string' },
  help: { type: 'boolean', default: false },
};

async function main() {
  const { values } = parseArgs({ options: FLAGS });
  if (values.help) return console.log(HELP);
  const parts = known('parts', values.parts.split(','), PARTS);
  const sessions = positive('sessions', values.sessions, Number.isInteger);
  const heading = [`${describeMachine(machine())}; not pinned.`];
  console.log(`${heading[0]}\n`);

  const groups = [];
  for (const part of parts) {
    const began = performance.now();
    const group = await measure(part, { sessions });
    groups.push(group);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`${group.title}:\n\n${aligned(group.rows)}\n\n${group.words.join('\n')}\n(${seconds} s)\n`);
  }
  if (values.json) save(values.json, `${JSON.stringify({ heading, groups }, null, 2)}\n`);
  if (values.markdown) save(values.markdown, markdown(heading, groups, 'bench:scale'));
  const drawn = groups.filter(({ bars }) => bars);
  if (values.chart && drawn.length > 0) save(values.chart, chart(heading[0], drawn));
}

async function measure(part, details) {
  const child = new Child(part, `scale/${part}.mjs`, { flags: ['--max-old-space-size=4096'] });
  try {
    return await child.ask('measure', details);
  } finally {
    await child.stop();
  }
}

main().catch(error => {
  console.error(`\nThe bench was stopped: ${error.message}`);
  process.exitCode = 1;
});
