import type { Clock } from '../clock.ts';
import type { GuardedStore } from './guarded-store.ts';

const INTERVAL = 10 * 60_000;
const BATCH = 500;

export interface Pruning {
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

  async function run(): Promise<number> {
    let total = 0;
    while (!stopped) {
      const pruned = await store.admin('prune', admin => admin.prune(clock(), BATCH));
      total += pruned;
      if (pruned < BATCH) break;
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
