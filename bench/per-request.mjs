// What one request makes in the process that answers it: store calls, promises, bytes on the heap; and which part of its time is ours.
import { Child } from './child.mjs';

export const FRAMEWORKS = ['express', 'node'];
export const GUARDED_KINDS = ['read', 'write', 'none', 'forged', 'login'];
const OPERATIONS = ['read', 'replace', 'create', 'touch', 'delete'];

/**
 * One thread, so that optimised code is there at the same request each time; after some hundred requests instead of some
 * thousand; and room for a round without a collection.
 */
const HEAP_FLAGS = [
  '--interrupt-budget=8000',
  ...['--single-threaded', '--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128'],
  ...['--no-flush-bytecode', '--no-allocation-site-pretenuring'],
];

/** With a store that answers at once. What the bare application makes is left out. */
export async function countFigures() {
  const figures = {};
  for (const framework of FRAMEWORKS) {
    const [bare, ours] = await observeBoth(framework, 'counts', []);
    for (const kind of GUARDED_KINDS) {
      const { storeCalls } = ours[kind];
      for (const operation of new Set([...OPERATIONS, ...Object.keys(storeCalls)])) {
        figures[`${framework}, ${kind}: store.${operation}`] = storeCalls[operation] ?? 0;
      }
      figures[`${framework}, ${kind}: promises`] = ours[kind].promises - bare[kind].promises;
    }
  }
  return figures;
}

export async function allocationFigures() {
  const figures = {};
  for (const framework of FRAMEWORKS) {
    const [bare, ours] = await observeBoth(framework, 'allocations', HEAP_FLAGS);
    for (const kind of GUARDED_KINDS) {
      figures[`${framework}, ${kind}`] = Math.round(ours[kind] - bare[kind]);
    }
  }
  return figures;
}

/** In per cent. A share, because time itself tells how quick the machine is, and how busy. */
export async function selfTimeFigures() {
  const figures = {};
  for (const framework of FRAMEWORKS) {
    const ours = await observe(framework, 'madeleine', 'selfTime', []);
    for (const kind of GUARDED_KINDS) figures[`${framework}, ${kind}`] = Number(ours[kind].toFixed(1));
  }
  return figures;
}

/** Without what ours changes of Express itself, which would hide what ours makes. */
const bareOf = framework => (framework === 'express' ? 'bare-prepared' : 'bare');

/** @returns what the bare application and ours say */
const observeBoth = (framework, question, flags) =>
  Promise.all([bareOf(framework), 'madeleine'].map(variant => observe(framework, variant, question, flags)));

async function observe(framework, variant, question, flags) {
  const child = new Child(`${framework}, ${variant}`, 'observed.mjs', { args: [framework, variant], flags });
  try {
    return await child.ask(question, { kinds: GUARDED_KINDS });
  } finally {
    await child.stop();
  }
}
