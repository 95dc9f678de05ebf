import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';

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
    if (other !== null && !isAlive(other)) letGo(file, other);
    else if (waited === 10)
      console.log(`madeleine: process ${other} installs or builds already (${file}); waiting for it ...`);
    await setTimeout(100);
  }
  process.once('exit', () => rmSync(file, { force: true }));
}

/** For a process that is dead. One does it alone: another, which saw the same a moment later, would remove the file of who came next. */
function letGo(file, dead) {
  const alone = `${file}.${dead}`;
  try {
    mkdirSync(alone);
  } catch (error) {
    if (error.code === 'EEXIST') return;
    throw error;
  }
  if (holderOf(file) === dead) rmSync(file, { force: true });
  rmdirSync(alone);
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
