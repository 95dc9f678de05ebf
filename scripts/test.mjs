// `npm test`: lint, types, then every test against the built package. Ends with the line 'N passed, N failed', and
// ', N skipped' where servers are missing (outside CI, where that fails: test/servers/need.ts).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const root = path.dirname(import.meta.dirname);
process.chdir(root);
const built = path.join(root, '.build/test');

let passed = 0;
/** Said again at the end, where it is seen. */
const failures = [];

/** Lint, types and the other runtimes count as one check each. */
async function check(title, command, args) {
  const [status] = await once(spawn(command, args, { stdio: 'inherit' }), 'exit');
  console.log(`${status === 0 ? '✔' : '✖'} ${title}`);
  if (status === 0) passed++;
  else failures.push(title);
}

async function build() {
  await check('the package builds (tsc, rollup)', process.execPath, ['scripts/build.mjs']);
  await check('the tests and their types compile (tsc)', tool('tsc'), ['-p', 'test/tsconfig.json']);
}

const tool = name => path.join(root, 'node_modules/.bin', name);

const only = process.argv.slice(2);
rmSync(built, { recursive: true, force: true });
await Promise.all([check('lint and format (biome)', tool('biome'), ['check', '--error-on-warnings', '.']), build()]);
if (process.env.CI === 'true' && only.length === 0)
  await check('other runtimes', process.execPath, ['scripts/test-runtimes.mjs', '--short']);

/** What takes the longest begins first, so that none of it runs on alone at the end. */
const LONGEST = ['stores/redis', 'races/', 'faults/survival', 'stores/sql', 'bench', 'torture/', 'servers/', 'stores/'];
const rank = file => {
  const found = LONGEST.findIndex(part => path.relative(built, file).startsWith(part));
  return found < 0 ? LONGEST.length : found;
};
const files = readdirSync(built, { recursive: true })
  .filter(file => file.endsWith('.test.js') && (only.length === 0 || only.some(part => file.includes(part))))
  .map(file => path.join(built, file))
  .sort()
  .sort((a, b) => rank(a) - rank(b));

// A suite is not a test: only what has no tests of its own is counted, and a suite that fails alone (in a hook).
const isTest = event => event.details.type !== 'suite';
const counts = event => isTest(event) && !event.skip;
const skipped = [];
// Three at a time on two cores: files spend more than half of their time waiting, for servers above all.
// A file that hangs, because a test failed and left something open, fails instead of holding up all others.
const stream = run({ files, concurrency: 3, timeout: 300_000 })
  .on('test:pass', event => counts(event) && passed++)
  .on(
    'test:fail',
    event =>
      (isTest(event) || failures.length === 0) &&
      failures.push(`${event.name} (${path.relative(built, event.file ?? '')})`),
  )
  .on('test:pass', event => /^not installed/.test(event.skip) && skipped.push(`${event.name}: ${event.skip}`));
stream.compose(spec).pipe(process.stdout);
stream.on('end', () => {
  setImmediate(() => {
    for (const line of skipped) console.log(`SKIPPED ${line}`);
    for (const failure of failures) console.log(`FAILED ${failure}`);
    console.log(
      `\n${passed} passed, ${failures.length} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`,
    );
    process.exitCode = failures.length === 0 ? 0 : 1;
  });
});
