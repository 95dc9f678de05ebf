// `npm start` twice at once on a fresh clone: one installs and builds, the other waits for it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';

describe('takeTurn()', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'madeleine-turn-'));
  const lock = path.join(folder, 'build/pid');
  const log = path.join(folder, 'log');
  const present = path.join(folder, 'present');
  after(() => rmSync(folder, { recursive: true }));

  /** Says in the log when its turn begins and ends, and works meanwhile; begins when all that are told to be there are. */
  const code = `
    import { appendFileSync, readFileSync } from 'node:fs';
    import { takeTurn } from ${JSON.stringify(`file://${path.resolve('scripts/turn.mjs')}`)};
    const [file, log, present] = ${JSON.stringify([lock, log, present])};
    appendFileSync(present, '.');
    while (readFileSync(present, 'utf8').length < Number(process.argv[1]));
    await takeTurn(file);
    for (let line = 0; line < 5000; line++) appendFileSync(log, process.pid + ' ');
    if (process.argv[2] === 'die') process.kill(process.pid, 'SIGKILL');`;
  const run = async (...args: string[]): Promise<void> => {
    await once(spawn(process.execPath, ['--input-type=module', '--eval', code, ...args], { stdio: 'inherit' }), 'exit');
  };

  it('passes from a process that was killed to the next', async () => {
    await run('1', 'die');
    assert.ok(existsSync(lock));
    await run('1');
    assert.ok(!existsSync(lock));
  });

  it('lets one process after the other, also where all find the file of one that was killed', async () => {
    await run('1', 'die');
    writeFileSync(log, '');
    writeFileSync(present, '');
    await Promise.all([run('3'), run('3'), run('3')]);
    const pids = readFileSync(log, 'utf8').trim().split(' ');
    const changes = pids.filter((pid, i) => pid !== pids[i - 1]);
    assert.equal(pids.length, 15_000);
    assert.equal(changes.length, 3);
    assert.ok(!existsSync(lock));
  });
});
