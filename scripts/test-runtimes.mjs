// `npm run test:runtimes [-- bun node@24 …]`: the built tests on other runtimes, each from the npm registry.
// With --short, the few files that stand for the rest: what `npm test` runs in CI.
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
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
    files: /^(bench|docs|package|packed|seed|turn)\./,
    why: 'about the package and its documents, not the runtime',
  },
  {
    runtimes: /^bun$/,
    files: /^(faults\/survival|session\/parsed-lately-memory)\./,
    why: "they call V8's garbage collector (--expose-gc) and look what is left; Bun's engine is not V8",
  },
  {
    runtimes: /^bun$/,
    files: /^frozen-prototypes\./,
    why: 'it freezes prototypes, and Bun runs all files in one process',
  },
];

/** Tests that skip themselves there. */
const SKIPPED = [
  {
    runtime: 'deno',
    tests: 'everything over HTTP/2, in adapters/node, adapters/node-own and adapters/fastify (test/support/http2.ts)',
    why: 'its node:http2 aborts the process when a connection is closed, without madeleine too: denoland/deno#36788',
  },
];

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

/** Runs the tests; what they print goes to a file, so that it is there whatever ends them. */
function run(name, files) {
  const { command, args } = install(name);
  const log = path.join(root, '.build/runtimes', `${VERSIONS[name]}.log`);
  const output = openSync(log, 'w');
  const seconds = short ? 90 : 900;
  const result = spawnSync(command, [...args, ...files.map(file => `./.build/test/${file}`)], {
    stdio: ['ignore', output, output],
    timeout: seconds * 1000,
    killSignal: 'SIGKILL',
    env: { ...process.env, NO_COLOR: '1' },
  });
  closeSync(output);
  const printed = readFileSync(log, 'utf8');
  return { printed, log, ended: badEnd(result, seconds, printed) };
}

/** How it ended, unless it ended well. */
function badEnd({ status, signal, error }, seconds, printed) {
  if (status !== null) return status === 0 ? null : `exit code ${status}`;
  if (error && error.code !== 'ETIMEDOUT') return error.message;
  return `${error ? `killed, not done after ${seconds} s` : `ended by ${signal}`}, ${whereabouts(printed)}`;
}

/** Bun and Deno name each file before they run it; Node runs several at once, and names none. */
function whereabouts(printed) {
  const last = [...printed.matchAll(/^(?:running \d+ tests? from )?\S*\.build\/test\/(\S+\.test\.js):?$/gm)].at(-1);
  return last ? `at ${last[1]}` : 'at a file that its output does not name';
}

let failed = 0;
for (const name of names.length > 0 ? names : short ? IN_CI : Object.keys(RUNTIMES)) {
  const files = filesFor(name);
  const started = Date.now();
  const { printed, log, ended } = run(name, files);
  const summary =
    printed.match(
      /^.*(?:\d+ passed.*failed.*|(?:ℹ|#) (?:tests|pass|fail|skipped) \d+|^\s*\d+ (?:pass|fail|skip)$)/gm,
    ) ?? [];
  // A filter that matches nothing ends well too: nothing was proved then.
  const ran = summary.some(line => /\b[1-9]\d* pass|\bpass [1-9]/.test(line));
  const ok = ended === null && ran;
  const seconds = Math.round((Date.now() - started) / 1000);
  const results = [...(ok ? [] : [ended ?? 'no test ran']), ...summary.map(line => line.trim())];
  console.log(`${ok ? '✔' : '✖'} ${VERSIONS[name]}, ${files.length} files, ${seconds} s: ${results.join(', ')}`);
  if (short) console.log(`  ${files.join(' ')}`);
  if (ok) continue;
  failed++;
  console.log(printed.slice(-20_000));
  console.log(`All of its output: ${path.relative(root, log)}`);
}
for (const { runtimes, files, why } of NOT_RUN) console.log(`not run: ${files.source} on ${runtimes.source}: ${why}`);
for (const { runtime, tests, why } of SKIPPED) console.log(`skipped on ${runtime}: ${tests}: ${why}`);
process.exitCode = failed === 0 ? 0 : 1;
