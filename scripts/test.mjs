// `npm test`: lint, types, then every test against the built package. Ends with the line 'N passed, N failed', and
// ', N skipped' where servers are missing (outside CI, where that fails: test/servers/need.ts).
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const root = path.dirname(import.meta.dirname);
process.chdir(root);
const built = path.join(root, '.build/test');

/** Lint and types count as one check each. */
function check(title, command, args) {
  const { status } = spawnSync(path.join(root, 'node_modules/.bin', command), args, { stdio: 'inherit' });
  console.log(`${status === 0 ? '✔' : '✖'} ${title}`);
  return status === 0;
}

const only = process.argv.slice(2);
rmSync(built, { recursive: true, force: true });
const checks = [
  check('lint and format (biome)', 'biome', ['check', '--error-on-warnings', '.']),
  check('the package builds (tsc)', 'tsc', ['-p', 'tsconfig.json']),
  check('the tests and their types compile (tsc)', 'tsc', ['-p', 'test/tsconfig.json']),
];

const files = readdirSync(built, { recursive: true })
  .filter(file => file.endsWith('.test.js') && (only.length === 0 || only.some(part => file.includes(part))))
  .map(file => path.join(built, file))
  .sort();

if (process.env.CI === 'true' && only.length === 0) {
  const { status } = spawnSync(process.execPath, ['scripts/test-runtimes.mjs', '--short'], { stdio: 'inherit' });
  checks.push(status === 0);
}

let passed = checks.filter(Boolean).length;
let failed = checks.length - passed;
// A suite is not a test: only what has no tests of its own is counted.
const counts = event => event.details.type !== 'suite' && !event.skip;
const skipped = [];
// A file that hangs, because a test failed and left something open, fails instead of holding up all others.
const stream = run({ files, concurrency: 2, timeout: 240_000 })
  .on('test:pass', event => counts(event) && passed++)
  .on('test:fail', event => counts(event) && failed++)
  .on('test:pass', event => /^not installed/.test(event.skip) && skipped.push(`${event.name}: ${event.skip}`));
stream.compose(spec).pipe(process.stdout);
stream.on('end', () => {
  setImmediate(() => {
    for (const line of skipped) console.log(`SKIPPED ${line}`);
    console.log(`\n${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
    process.exitCode = failed === 0 ? 0 : 1;
  });
});
