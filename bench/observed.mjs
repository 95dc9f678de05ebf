// The application of one variant in a process of its own, and what its requests make there, started by per-request.mjs:
// `node observed.mjs FRAMEWORK VARIANT`.
import { Session } from 'node:inspector/promises';
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import v8 from 'node:v8';
import { answerParent } from './child.mjs';
import { hotSpots } from './hot-spots.mjs';
import { openApplication } from './in-process.mjs';
import { quantile } from './statistics.mjs';
import { watchedStores } from './store-watch.mjs';
import { remembers } from './variants.mjs';

const [framework, variant] = process.argv.slice(2);
const COUNTED = 100;
/** By so many requests of a kind its code has been optimised. */
const WARMED_UP = { visitors: 200, rounds: 3 };
const MEASURED_ROUNDS = 3;
/** By so many rounds its code is what it will be; then so many profiles of so many rounds are taken. */
const PROFILED = { warmUp: 30, profiles: 9, rounds: 25 };
/** In microseconds. */
const SAMPLING_INTERVAL = 100;

/** By kind: store calls by operation, and promises. The watch makes a store slower, and no promises. */
async function counts({ kinds }) {
  const watch = watchedStores();
  const { visitorsOf, play } = await openApplication(framework, variant, watch.keep);
  const { stores } = watch.calls();
  if (remembers(variant) && stores === 0) throw new Error(`${variant}: there is no store to watch.`);
  const result = {};
  for (const kind of kinds) {
    const visitors = await visitorsOf(kind, COUNTED);
    // The first ones prepare what later ones use again.
    await play(visitors);
    const before = watch.calls().byOperation;
    const promises = await play(visitors, countPromises);
    const after = Object.entries(watch.calls().byOperation);
    const storeCalls = after.map(([name, count]) => [name, (count - (before[name] ?? 0)) / COUNTED]);
    result[kind] = { promises: promises / COUNTED, storeCalls: Object.fromEntries(storeCalls) };
  }
  return result;
}

function countPromises() {
  let count = 0;
  const stop = v8.promiseHooks.onInit(() => {
    count += 1;
  });
  return () => {
    stop();
    return count;
  };
}

/** By kind: bytes on the heap of JavaScript. */
async function allocations({ kinds }) {
  const collections = watchCollections();
  const { visitorsOf, play } = await openApplication(framework, variant, store => store);
  const result = {};
  for (const kind of kinds) {
    const visitors = await visitorsOf(kind, WARMED_UP.visitors);
    for (let round = 0; round < WARMED_UP.rounds; round++) await play(visitors, countBytes);
    const measured = [];
    for (let attempt = 0; measured.length < MEASURED_ROUNDS; attempt++) {
      if (attempt === 3 * MEASURED_ROUNDS) throw new Error(`${kind}: the garbage collector would not keep still.`);
      await collections.begin();
      const bytes = await play(visitors, countBytes);
      if (await collections.areNone()) measured.push(bytes / visitors.length);
    }
    result[kind] = quantile(measured, 0.5);
  }
  return result;
}

/** Where V8 puts what is new. The old spaces grow by whole blocks, and with what it keeps about the code. */
const YOUNG = ['new_space', 'new_large_object_space'];

function countBytes() {
  const before = youngBytes();
  return () => youngBytes() - before;
}

function youngBytes() {
  const spaces = v8.getHeapSpaceStatistics().filter(({ space_name: name }) => YOUNG.includes(name));
  return spaces.reduce((sum, { space_used_size: bytes }) => sum + bytes, 0);
}

function watchCollections() {
  let seen = 0;
  new PerformanceObserver(list => {
    seen += list.getEntries().length;
  }).observe({ entryTypes: ['gc'] });
  // Node tells of a collection in a later turn of its loop.
  const told = async () => {
    for (let index = 0; index < 3; index++) await turn();
  };
  return {
    /** A minor one: a full one would throw optimised code away. */
    async begin() {
      globalThis.gc({ type: 'minor' });
      await told();
      seen = 0;
    },
    async areNone() {
      await told();
      return seen === 0;
    },
  };
}

/** By kind: how many per cent of the server's own time were spent in our files. */
async function selfTime({ kinds }) {
  const { visitorsOf, play } = await openApplication(framework, variant, store => store);
  const profiler = new Session();
  profiler.connect();
  await profiler.post('Profiler.enable');
  await profiler.post('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL });
  const result = {};
  for (const kind of kinds) {
    const visitors = await visitorsOf(kind, WARMED_UP.visitors);
    for (let round = 0; round < PROFILED.warmUp; round++) await play(visitors);
    const shares = [];
    for (let taken = 0; taken < PROFILED.profiles; taken++) {
      await profiler.post('Profiler.start');
      for (let round = 0; round < PROFILED.rounds; round++) await play(visitors);
      const { profile } = await profiler.post('Profiler.stop');
      shares.push(ownShare(hotSpots(profile, Number.POSITIVE_INFINITY).packages));
    }
    result[kind] = quantile(shares, 0.5);
  }
  return result;
}

/** The client's part, which runs in the same process, is left out. */
function ownShare(packages) {
  const partOf = wanted => packages.find(({ name }) => name === wanted)?.part ?? 0;
  return (100 * partOf('dist')) / (1 - partOf('bench'));
}

answerParent({ counts, allocations, selfTime });
