import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { SharedStore } from '../../support/open-store.ts';

export const childScript = new URL('./store-child.js', import.meta.url);

/** Runs a task of `store-child` in so many processes that start at the same moment. */
export function inProcesses(count: number, task: string, store: SharedStore, where: string): Promise<void> {
  return runTogether(childScript, Array(count).fill([task, store, where]));
}

/** Runs a script in a process for each of these arguments; it says by a message when it is ready, and is told by one to start. */
export async function runTogether(script: URL, each: ReadonlyArray<readonly string[]>): Promise<void> {
  const children = each.map(args => fork(script, args));
  await Promise.all(children.map(child => once(child, 'message')));
  const ends = children.map(child => once(child, 'exit'));
  for (const child of children) child.send('start');
  const codes = (await Promise.all(ends)).map(([code]) => code);
  assert.deepEqual(codes, Array(each.length).fill(0));
}
