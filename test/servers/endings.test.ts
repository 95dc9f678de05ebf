// Servers end with the process that holds them, whatever ends it, and leave no process, file or shared memory.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Running, start } from '../support/process.ts';
import { until } from './daemon.ts';
import { need } from './need.ts';

describe('a process that holds servers', () => {
  const script = path.join(import.meta.dirname, 'support/holder.js');
  let tmp: string;
  beforeEach(() => {
    tmp = mkdtempSync(path.join(os.tmpdir(), 'held-'));
    chmodSync(tmp, 0o755);
  });
  afterEach(() => rmSync(tmp, { recursive: true, force: true, maxRetries: 10 }));

  const hold = (kind: string, pattern: RegExp, state = ''): Promise<Running> =>
    start(script, { TMPDIR: tmp, HOLD: kind, HOLD_STATE: state }, pattern);

  /** Kills them, and waits until no process that they started and no file of those is left. */
  const killed = async (...all: Running[]): Promise<void> => {
    const left = all.flatMap(held => descendants(held.child.pid!));
    await Promise.all(all.map(held => held.kill()));
    await until('the keepers', () => readdirSync(tmp).length === 0 && !left.some(runs));
  };

  for (const kind of ['redis', 'postgres', 'mariadb'] as const) {
    const skip = need(kind, ...(kind === 'postgres' ? (['pgbouncer'] as const) : []));

    it(`killed while ${kind} is starting, leaves nothing`, { skip }, async () => {
      const held = await hold(kind, /starting/);
      await until('a keeper and a program', () => descendants(held.child.pid!).length >= 2);
      await killed(held);
    });

    it(`two at the same moment start ${kind} side by side and, killed, leave nothing`, { skip }, async () => {
      const held = await Promise.all([hold(kind, /holds (.*)/), hold(kind, /holds (.*)/, 'paused')]);
      const urls = held.flatMap(({ found }) => found.split(' '));
      assert.equal(new Set(urls).size, urls.length);
      const memory = sharedMemory(tmp);
      if (kind === 'postgres') assert.equal(memory.length, 2);
      await killed(...held);
      assert.ok(!memory.some(id => allSharedMemory().includes(id)));
    });

    it(`stops ${kind} and leaves nothing but the keeper`, { skip }, async () => {
      const held = await hold(kind, /holds/);
      const before = descendants(held.child.pid!);
      const memory = sharedMemory(tmp);
      const home = path.join(tmp, readdirSync(tmp)[0]!);
      assert.notDeepEqual(readdirSync(home), []);
      held.child.kill('SIGUSR2');
      await until('the servers', () => readdirSync(home).length === 0 && before.filter(runs).length === 1);
      assert.ok(!memory.some(id => allSharedMemory().includes(id)));
      await killed(held);
    });
  }
});

const processes = (): Array<{ pid: number; parent: number; state: string }> =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(line => line.trim().split(/ +/))
    .map(([pid, parent, state = '']) => ({ pid: Number(pid), parent: Number(parent), state }));

function descendants(pid: number): number[] {
  const all = processes();
  const below = (parent: number): number[] =>
    all.filter(one => one.parent === parent).flatMap(one => [one.pid, ...below(one.pid)]);
  return below(pid);
}

/** A zombie does not run: it waits for the first process of the system to notice. */
const runs = (pid: number): boolean => processes().some(one => one.pid === pid && !one.state.startsWith('Z'));

const allSharedMemory = (): string[] =>
  execFileSync('ipcs', ['-m'], { encoding: 'utf8' })
    .split('\n')
    .map(line => line.split(/ +/)[1] ?? '');

/** The segments of the Postgres servers in a folder, by what their lock files say. */
const sharedMemory = (folder: string): string[] =>
  readdirSync(folder, { recursive: true })
    .map(file => path.join(folder, String(file)))
    .filter(file => file.endsWith('postmaster.pid'))
    .map(file => readFileSync(file, 'utf8').split('\n')[6]?.trim().split(/ +/)[1] ?? '');
