// Part `flat`: what one operation of the memory store costs with 1,000 to 1,000,000 sessions in it, beside looking up the
// same keys in a Map alone: that is what the processor's caches take of it.
import { answerParent } from '../child.mjs';
import { summary } from '../statistics.mjs';
import { BEGAN, keyOf, recordOf } from './records.mjs';

const REPEATS = 15;
const OPERATIONS = 10_000;

async function measure({ sessions }) {
  const { memoryStore } = await import('madeleine/memory');
  const sizes = [...[1000, 10_000, 100_000].filter(size => size < sessions), sessions];
  const fresh = Array.from({ length: OPERATIONS }, (_, index) => [keyOf(-1 - index), recordOf(index, null)]);
  const contestants = sizes.map(size => fill(memoryStore, size));

  const times = sizes.map(() => ({}));
  for (let repeat = -1; repeat < REPEATS; repeat++) {
    for (const [index, contestant] of contestants.entries()) {
      for (const [operation, nanoseconds] of Object.entries(timeEach(contestant, fresh))) {
        // The first repeat warms up.
        if (repeat < 0) continue;
        times[index][operation] ??= [];
        times[index][operation].push(nanoseconds);
      }
    }
  }
  return present(sizes, times);
}

function fill(memoryStore, size) {
  const store = memoryStore({ maxSessions: 2 * size + OPERATIONS, maxBytes: 1024 ** 3, clock: () => BEGAN });
  const keys = Array.from({ length: size }, (_, number) => keyOf(number));
  for (const [number, key] of keys.entries()) store.create(key, recordOf(number, null));
  return { store, keys, map: new Map(keys.map(key => [key, { version: 1 }])) };
}

/** @returns nanoseconds for one operation of each kind; the store is as large afterwards as before */
function timeEach({ store, keys, map }, fresh) {
  const picked = Array.from({ length: OPERATIONS }, () => keys[Math.floor(Math.random() * keys.length)]);
  const records = picked.map(key => store.read(key));
  const chosen = [...new Map(picked.map((key, index) => [key, records[index]]))];
  const figures = {
    create: time(fresh, ([key, record]) => store.create(key, record)),
    read: time(picked, key => store.read(key) !== null),
    replace: time(
      chosen,
      ([key, record]) => store.replace(key, { ...record, version: record.version + 1 }, record.version).ok,
    ),
    'Map alone': time(picked, key => map.get(key).version === 1),
  };
  for (const [key] of fresh) store.delete(key);
  return figures;
}

function time(list, operation) {
  let right = 0;
  const began = performance.now();
  for (const one of list) if (operation(one)) right++;
  const elapsed = performance.now() - began;
  if (right !== list.length) throw new Error(`${list.length - right} operations did not do what they should.`);
  return (elapsed * 1e6) / list.length;
}

function present(sizes, times) {
  const operations = Object.keys(times[0]);
  const speedOf = (operation, index) =>
    summary(times[index][operation].map((nanoseconds, repeat) => times[0][operation][repeat] / nanoseconds));
  const nameOf = size => `madeleine, ${size.toLocaleString('en')}`;
  return {
    title: 'flat: one operation of the memory store',
    label: 'speed, 1 is with 1,000 sessions',
    times,
    rows: [
      ['sessions', 'ns/operation', 'cost, 1 is with 1,000', 'middle half'],
      ...operations.flatMap(operation => [
        [operation],
        ...sizes.map((size, index) => {
          const { median, low, high } = speedOf(operation, index);
          const cost = [median, high, low].map(speed => (1 / speed).toFixed(2));
          return [
            size.toLocaleString('en'),
            summary(times[index][operation]).median.toFixed(0),
            cost[0],
            `${cost[1]}-${cost[2]}`,
          ];
        }),
      ]),
    ],
    bars: operations.map(operation => ({
      heading: operation,
      bars: sizes.map((size, index) => ({
        name: operation === 'Map alone' ? size.toLocaleString('en') : nameOf(size),
        ...speedOf(operation, index),
      })),
    })),
    words: [`${REPEATS} repeats of ${OPERATIONS} operations at each size, which take turns; random keys.`],
  };
}

answerParent({ measure });
