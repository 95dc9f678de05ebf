// Instructions per request, client and Node included, counted by valgrind: the difference of a long run and a short one, in
// which starting and warming up cancel out.
import { execFile, execFileSync } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { GUARDED_KINDS } from './per-request.mjs';

const ROUNDS = { short: 15, long: 30 };
const VISITORS = 500;
const VALGRIND = [
  ...['--tool=cachegrind', '--cache-sim=no', '--cachegrind-out-file=/dev/null'],
  // Code that is compiled while it runs changes under valgrind's feet.
  '--smc-check=all-non-file',
];

export async function instructionFigures() {
  try {
    execFileSync('valgrind', ['--version'], { stdio: 'ignore' });
  } catch {
    throw new Error('--instructions: valgrind is not on the PATH (Debian: apt-get install valgrind).');
  }
  const figures = {};
  for (const kind of GUARDED_KINDS) {
    const [short, long] = await Promise.all([instructions(kind, ROUNDS.short), instructions(kind, ROUNDS.long)]);
    figures[`express, ${kind}`] = Math.round((long - short) / (VISITORS * (ROUNDS.long - ROUNDS.short)));
  }
  return figures;
}

async function instructions(kind, rounds) {
  const script = path.join(import.meta.dirname, 'paced.mjs');
  const run = [process.execPath, '--single-threaded', script, 'express', 'madeleine', kind, VISITORS, rounds];
  const env = { ...process.env, NODE_ENV: 'production' };
  const { stderr } = await promisify(execFile)('valgrind', [...VALGRIND, ...run.map(String)], { env });
  const counted = /I\s+refs:\s+([\d,]+)/.exec(stderr);
  if (!counted) throw new Error(`valgrind counted nothing:\n${stderr.slice(-2000)}`);
  return Number(counted[1].replaceAll(',', ''));
}
