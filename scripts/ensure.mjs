// Installs and builds whatever is missing, so that `npm start` and `npm test` work on a fresh clone. With --servers also
// what only the tests and the benchmark need: databases and a browser.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { takeTurn } from './turn.mjs';

const root = path.dirname(import.meta.dirname);
const run = (command, args, env = {}) =>
  execFileSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
const has = command => {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const mayInstall = () => process.getuid?.() === 0 && has('apt-get');

function aptInstall(packages) {
  run('apt-get', ['update', '-qq']);
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
    DEBIAN_FRONTEND: 'noninteractive',
  });
}

/** better-sqlite3 is compiled where its prebuilt binary cannot be fetched: that takes a compiler and Node's headers. */
function install() {
  const missing = ['python3', 'make', 'g++'].filter(command => !has(command));
  if (missing.length > 0 && mayInstall()) aptInstall(missing);
  const nodeHome = path.dirname(path.dirname(process.execPath));
  const headers = existsSync(path.join(nodeHome, 'include/node/node.h')) ? { npm_config_nodedir: nodeHome } : {};
  console.log('madeleine: installing what is missing (a minute or two where better-sqlite3 has to be compiled) ...');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], headers);
}

/** Debian writes this file for each package that is installed. */
const isInstalled = name => existsSync(`/var/lib/dpkg/info/${name}.md5sums`);

/** The tests start servers of their own. Debian would start one of each kind as well: its policy file says no. */
function installServers() {
  const packages = ['redis-server', 'postgresql', 'pgbouncer', 'mariadb-server', 'chromium', 'procps'];
  const missing = packages.filter(name => !isInstalled(name));
  if (missing.length === 0 || !mayInstall()) return;
  console.log(`madeleine: installing ${missing.join(', ')} for the tests (once; a few minutes) ...`);
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  try {
    if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    aptInstall(missing);
  } catch (error) {
    // Which tests can do without is not decided here: see test/servers/need.ts.
    console.warn(`madeleine: not installed: ${error.message}`);
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

const newest = (folder, ending) =>
  Math.max(
    0,
    ...readdirSync(folder, { recursive: true })
      .filter(file => file.endsWith(ending))
      .map(file => statSync(path.join(folder, file)).mtimeMs),
  );

function installed() {
  const lock = path.join(root, 'node_modules/.package-lock.json');
  if (!existsSync(lock) || statSync(path.join(root, 'package-lock.json')).mtimeMs > statSync(lock).mtimeMs)
    return false;
  try {
    createRequire(import.meta.url).resolve('better-sqlite3');
    return true;
  } catch {
    return false;
  }
}

// Two that start at once would build into each other's folders.
await takeTurn(path.join(root, '.build/ensure.pid'));
if (!installed()) install();
if (process.argv.includes('--servers')) installServers();
const dist = path.join(root, 'dist');
const made = [dist, path.join(root, '.build/modules')].every(existsSync);
if (!made || newest(path.join(root, 'src'), '.ts') > newest(dist, '.js')) run('npm', ['run', '--silent', 'build']);
