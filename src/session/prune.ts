import type { Clock } from '../clock.ts';
import type { GuardedStore } from './guarded-store.ts';

const INTERVAL = 10 * 60_000;

/** How many records go at once. */
const SMALLEST_BATCH = 10;
const LARGEST_BATCH = 1_000;
/** How long a batch may hold the event loop, in milliseconds. */
const SLICE = 4;
/** How long a batch may take of a store that answers later, in milliseconds: well within any `storeTimeout`. */
const LONGEST_ANSWER = 500;

interface Pruning {
  /** Prunes now; says how many records went. */
  run(): Promise<number>;
  stop(): void;
}

/**
 * Collects expired records now and then: in small batches with room for requests between them, at random moments so that
 * many processes do not do it at once, and never keeping the process alive.
 */
export function startPruning(store: GuardedStore, clock: Clock, onError: (error: unknown) => void): Pruning {
  let timer: NodeJS.Timeout;
  let stopped = false;
  let batch = SMALLEST_BATCH;

  async function run(): Promise<number> {
    let total = 0;
    while (!stopped) {
      const limit = batch;
      const begun = performance.now();
      const answer = store.admin('prune', admin => admin.prune(clock(), limit));
      const held = performance.now() - begun;
      const pruned = await answer;
      batch = nextBatch(limit, held, performance.now() - begun);
      total += pruned;
      if (pruned < limit) break;
      await new Promise(resolve => setImmediate(resolve));
    }
    return total;
  }

  function schedule(): void {
    timer = setTimeout(
      () =>
        run()
          .catch(onError)
          .finally(() => {
            if (!stopped) schedule();
          }),
      INTERVAL * (0.5 + Math.random()),
    );
    timer.unref();
  }

  schedule();
  return {
    run,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** As much as fits: what a record costs depends on the store, the disk and the size of its data. */
function nextBatch(batch: number, held: number, taken: number): number {
  if (held > SLICE || taken > LONGEST_ANSWER) return Math.max(SMALLEST_BATCH, batch >> 1);
  return held < SLICE / 4 && taken < LONGEST_ANSWER / 4 ? Math.min(LARGEST_BATCH, batch * 2) : batch;
}
