import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** Longer than any installation takes: by then another process may have the number of one that was killed. In milliseconds. */
const LONGEST_TURN = 30 * 60_000;

/** Waits until no other process has this file, and holds it until the end of this one. A process that is dead has let go. */
export async function takeTurn(file) {
  mkdirSync(path.dirname(file), { recursive: true });
  for (let waited = 0; ; waited++) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const other = holderOf(file);
    if (other !== null && (!isAlive(other) || isOld(file))) rmSync(file, { force: true });
    else if (waited === 10)
      console.log(`madeleine: process ${other} installs or builds already (${file}); waiting for it ...`);
    await setTimeout(100);
  }
  process.once('exit', () => rmSync(file, { force: true }));
}

/** `null` where it is gone by now, or not written yet. */
function holderOf(file) {
  try {
    return Number(readFileSync(file, 'utf8')) || null;
  } catch {
    return null;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function isOld(file) {
  const { mtimeMs = Date.now() } = statSync(file, { throwIfNoEntry: false }) ?? {};
  return Date.now() - mtimeMs > LONGEST_TURN;
}
