import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { SharedStore } from '../../support/open-store.ts';

export const childScript = new URL('./store-child.js', import.meta.url);

/** Runs a task of `store-child` in so many processes that start at the same moment. */
export async function inProcesses(count: number, task: string, store: SharedStore, where: string): Promise<void> {
  const children = Array.from({ length: count }, () => fork(childScript, [task, store, where]));
  await Promise.all(children.map(child => once(child, 'message')));
  const ends = children.map(child => once(child, 'exit'));
  for (const child of children) child.send('start');
  const codes = (await Promise.all(ends)).map(([code]) => code);
  assert.deepEqual(codes, Array(count).fill(0));
}
