// One store in memory, in a process of its own: `node --expose-gc memory-child.mjs CONTESTANT SESSIONS`. What a session takes,
// what is given back once all have expired, and how long the event loop stands still meanwhile.
import { answerParent } from '../child.mjs';
import { inSlices, watchPauses } from './pauses.mjs';
import { pruningOf } from './pruning.mjs';
import { BEGAN, dataOf, keyOf, recordOf, userOf } from './records.mjs';

const [contestant, count] = [process.argv[2], Number(process.argv[3])];
const ADDED_TO_FULL = 0.2;

/** @returns `add(number)`; where expired sessions are removed, `held()` and `prune(watch)` */
const CONTESTANTS = {
  'madeleine, visitors': () => ours(() => null),
  'madeleine, logged in': () => ours(userOf),

  /** No store, but what any of them is built on: how long it stands still itself when it grows, shrinks or is tidied up. */
  'a Map alone'() {
    const map = new Map();
    return {
      add(number) {
        map.set(keyOf(number), number);
        if (map.size > count) map.delete(keyOf(number - count));
      },
      held: () => map.size,
      prune: watch => inSlices(watch, count * ADDED_TO_FULL, count, number => map.delete(keyOf(number))),
    };
  },

  async 'express-session'() {
    const { default: session } = await import('express-session');
    const store = new session.MemoryStore();
    return {
      // The text that it keeps is 200 B with the cookie that its sessions have in them: of ours that is beside the data.
      add: number => store.set(keyOf(number), JSON.parse(dataOf(number)), () => {}),
    };
  },
};

async function ours(userIdOf) {
  const { memoryStore } = await import('madeleine/memory');
  const store = memoryStore({ maxSessions: count, maxBytes: 1024 ** 3, clock: () => BEGAN });
  return {
    add: number => store.create(keyOf(number), recordOf(number, userIdOf(number))),
    held: () => store.admin.count(0),
    prune: pruningOf(store),
  };
}

async function measure() {
  const { add, held, prune } = await CONTESTANTS[contestant]();
  const pauses = {};
  const watched = async (name, work) => {
    const watch = watchPauses();
    await work(watch);
    pauses[name] = await watch.stop();
  };
  const empty = await memoryInUse();
  await watched('adding', watch => inSlices(watch, 0, count, add));
  const full = await memoryInUse();
  if (!prune) return { bytes: (full - empty) / count, pauses };

  await watched('evicting', watch => inSlices(watch, count, count * ADDED_TO_FULL, add));
  if (held() !== count) throw new Error(`it holds ${held()} sessions instead of ${count}.`);
  await watched('expiring', prune);
  if (held() !== 0) throw new Error(`it holds ${held()} sessions that have expired.`);
  const left = await memoryInUse();
  return { bytes: (full - empty) / count, givenBack: (full - left) / (full - empty), pauses };
}

async function memoryInUse() {
  // What a callback still holds is garbage only after it.
  await new Promise(resolve => setImmediate(resolve));
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

answerParent({ measure });
