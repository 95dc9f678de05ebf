// How long the event loop stands still, and whose doing it is: the work of a slice, the garbage collector, or another process
// that had the processor meanwhile.
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const LONGEST_PAUSE = 10;
const SLICE = 100;
const RESOLUTION = 1;

export function watchPauses() {
  const collections = [];
  const slices = [];
  const observer = new PerformanceObserver(list => {
    for (const { startTime, duration } of list.getEntries()) collections.push([startTime, startTime + duration]);
  });
  observer.observe({ entryTypes: ['gc'] });
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  delay.enable();

  return {
    /** Does something at once, and notes when it began and ended. */
    slice(work) {
      const waited = waitedForProcessor();
      const began = performance.now();
      const result = work();
      const ended = performance.now();
      slices.push([began, ended, waitedForProcessor() - waited]);
      return result;
    },
    /** @returns milliseconds: the longest and the 99th of 100 pauses, the longest collection, the longest wait for the processor, and the longest slice without these two */
    async stop() {
      delay.disable();
      // The observer is told of the last collections a moment later.
      await sleep(50);
      observer.disconnect();
      const without = ([began, ended, waited]) =>
        collections.reduce(
          (left, [from, to]) => left - Math.max(0, Math.min(to, ended) - Math.max(from, began)),
          ended - began - waited,
        );
      return {
        // What it records of a loop that never waits is its own resolution.
        longest: delay.max / 1e6 - RESOLUTION,
        p99: Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION),
        collector: longestOf(collections.map(([from, to]) => to - from)),
        waited: longestOf(slices.map(([, , waited]) => waited)),
        own: longestOf(slices.map(without)),
      };
    },
  };
}

/** Milliseconds for which this thread was ready and not running. Only Linux tells; elsewhere they count as its own work. */
function waitedForProcessor() {
  if (process.platform !== 'linux') return 0;
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[1]) / 1e6;
}

const longestOf = values => values.reduce((longest, value) => Math.max(longest, value), 0);

/** Does something for each number from `start` on, with room for other events after each hundred, as between requests. */
export async function inSlices(watch, start, count, work) {
  for (let from = start; from < start + count; from += SLICE) {
    const to = Math.min(from + SLICE, start + count);
    watch.slice(() => {
      for (let number = from; number < to; number++) work(number);
    });
    await new Promise(resolve => setImmediate(resolve));
  }
}

export const PAUSE_HEADS = [
  ...['longest pause, ms', '99 of 100', 'longest collection', 'longest wait', 'longest of its own'],
  `goal: ${LONGEST_PAUSE} ms`,
];

export const pauseCells = ({ longest, p99, collector, waited, own }) => [
  ...[longest, p99, collector, waited, own].map(value => value.toFixed(1)),
  longest <= LONGEST_PAUSE ? 'met' : own <= LONGEST_PAUSE ? 'not by its own' : 'missed',
];

export const PAUSE_WORDS = [
  'Pauses are those of monitorEventLoopDelay. Work comes in slices of 100 operations, keys and data included, or of one batch of pruning.',
  '"Its own" is the longest slice without collections and without the wait for a processor that another process had.',
];
