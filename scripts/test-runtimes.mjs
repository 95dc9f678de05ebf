// `npm run test:runtimes [-- bun node@24 …]`: the built tests on other runtimes, each from the npm registry.
// With --short, the few files that stand for the rest: what `npm test` runs in CI.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
process.chdir(root);

const NODE = ['bin/node', '--test', '--test-concurrency=2'];
const RUNTIMES = {
  'node@22': NODE,
  'node@24': NODE,
  'node@26': NODE,
  bun: ['.bin/bun', 'test', '--timeout=60000'],
  deno: ['.bin/deno', 'test', '-A', '--no-check', '--node-modules-dir=manual'],
};

/** Exact, so that a run of today can be had again tomorrow. */
const VERSIONS = {
  'node@22': 'node@22.23.3',
  'node@24': 'node@24.21.0',
  'node@26': 'node@26.10.0',
  bun: 'bun@1.4.5',
  deno: 'deno@2.9.6',
};

/** What stands for the rest: a part of each floor, in under half a minute. */
const SHORT = ['cookie/parse', 'session/lifecycle', 'express/gate', 'adapters/koa', 'stores/memory', 'stores/sqlite'];
const IN_CI = ['node@24', 'bun', 'deno'];

/** What a runtime does not run, and why; docs/runtimes.md says it to users. */
const NEEDS_SERVERS = 'real servers and browsers are the same whoever asks: npm test runs them';
const NOT_RUN = [
  { runtimes: /./, files: /^(browser|races|servers|shop|torture)\//, why: NEEDS_SERVERS },
  { runtimes: /./, files: /^stores\/(.*-servers|docs|mysql|postgres|redis.*|sql-faults)\./, why: NEEDS_SERVERS },
  {
    runtimes: /./,
    files: /^(docs|package|seed|packed)\./,
    why: 'about the package and its documents, not the runtime',
  },
  {
    runtimes: /^deno$/,
    files: /^adapters\/(node|fastify)\./,
    why: 'the process aborts in HTTP/2 (an assertion in nghttp2), on which side has not been found out',
  },
];

/** Single tests that are left out, by the start of their full name. (Deno has no such filter: those tests skip themselves.) */
const SKIPPED = {
  // Fastify's own error handler throws ERR_HTTP_TRAILER_INVALID there.
  bun: '--test-name-pattern=^(?!Fastify 5 .*promises trailers: a store that fails)',
};

const asked = process.argv.slice(2);
const short = asked.includes('--short');
const names = asked.filter(name => name !== '--short');
const unknown = names.filter(name => !(name in RUNTIMES));
if (unknown.length > 0) throw new Error(`Unknown: ${unknown}. There are: ${Object.keys(RUNTIMES).join(', ')}`);

function install(name) {
  const folder = path.join(root, '.build/runtimes', VERSIONS[name]);
  const [binary, ...args] = RUNTIMES[name];
  const modules = path.join(folder, 'node_modules');
  const command = path.join(modules, name.startsWith('node') ? 'node' : '', binary);
  if (!existsSync(command)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    const options = ['--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
    spawnSync('npm', ['install', ...options, VERSIONS[name]], { stdio: 'inherit' });
  }
  return { command, args };
}

function filesFor(name) {
  const all = readdirSync('.build/test', { recursive: true }).filter(file => file.endsWith('.test.js'));
  const left = all.filter(file => !NOT_RUN.some(({ runtimes, files }) => runtimes.test(name) && files.test(file)));
  return left.filter(file => !short || SHORT.some(part => file === `${part}.test.js`)).sort();
}

let failed = 0;
for (const name of names.length > 0 ? names : short ? IN_CI : Object.keys(RUNTIMES)) {
  const { command, args } = install(name);
  const files = filesFor(name);
  const started = Date.now();
  const paths = files.map(file => `./.build/test/${file}`);
  const { status, stdout, stderr } = spawnSync(
    command,
    [...args, ...(SKIPPED[name] ? [SKIPPED[name]] : []), ...paths],
    {
      encoding: 'utf8',
      timeout: short ? 90_000 : 900_000,
      maxBuffer: 1 << 28,
      env: { ...process.env, NO_COLOR: '1' },
    },
  );
  const summary =
    `${stdout}${stderr}`.match(/^.*(?:\d+ passed.*failed|(?:ℹ|#) (?:tests|pass|fail) \d+|^\s*\d+ (?:pass|fail))/gm) ??
    [];
  // A filter that matches nothing ends well too: nothing was proved then.
  const ran = summary.some(line => /\b[1-9]\d* pass|\bpass [1-9]/.test(line));
  const ok = status === 0 && ran;
  const seconds = Math.round((Date.now() - started) / 1000);
  console.log(
    `${ok ? '✔' : '✖'} ${VERSIONS[name]}, ${files.length} files, ${seconds} s: ${summary.map(line => line.trim()).join(', ')}`,
  );
  if (short) console.log(`  ${files.join(' ')}`);
  if (ok) continue;
  failed++;
  console.log(`${stdout}${stderr}`.slice(-20_000));
}
for (const { runtimes, files, why } of NOT_RUN) console.log(`not run: ${files.source} on ${runtimes.source}: ${why}`);
process.exitCode = failed === 0 ? 0 : 1;
