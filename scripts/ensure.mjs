// Installs and builds whatever is missing, so that `npm start` and `npm test` work on a fresh clone.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

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

/** better-sqlite3 is compiled where its prebuilt binary cannot be fetched: that takes a compiler and Node's headers. */
function install() {
  const missing = ['python3', 'make', 'g++'].filter(command => !has(command));
  if (missing.length > 0 && process.getuid?.() === 0 && has('apt-get')) {
    run('apt-get', ['update', '-qq']);
    run('apt-get', ['install', '-y', '-qq', ...missing], { DEBIAN_FRONTEND: 'noninteractive' });
  }
  const nodeHome = path.dirname(path.dirname(process.execPath));
  const headers = existsSync(path.join(nodeHome, 'include/node/node.h')) ? { npm_config_nodedir: nodeHome } : {};
  console.log('madeleine: installing what is missing (a minute or two where better-sqlite3 has to be compiled) ...');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], headers);
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

if (!installed()) install();
const dist = path.join(root, 'dist');
if (!existsSync(dist) || newest(path.join(root, 'src'), '.ts') > newest(dist, '.js'))
  run('npm', ['run', '--silent', 'build']);
