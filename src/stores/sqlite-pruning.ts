/** Deletes an SQLite file's expired records without holding the event loop. */
import { once } from 'node:events';
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { MaybePromise } from '../maybe-promise.ts';

/** So many are deleted where they are found. A thread for the others takes some 50 ms of another core, and ends with them. */
const FEW = 10;

export interface SqlitePruner {
  prune(now: number, limit: number): MaybePromise<number>;
  stop(): void;
}

/**
 * What holds the event loop is not so much the deletion as the disk: after every 1,000 pages or so SQLite writes its log
 * back into the file, within the commit of whoever writes then. Expired records lie all over the file, so that took 20 to
 * 500 ms of every few batches. (Measured: 1,000,000 rows of 1 kB.) In a thread of its own it holds up nobody.
 *
 * @param pruneHere does it at once, in the event loop; that is all that is left where no thread can be started, as in an
 *   application that was bundled into one file, or is not allowed to
 */
export function createPruner(path: string, pruneHere: (now: number, limit: number) => number): SqlitePruner {
  const file = resolve(path);
  let thread: { worker: Worker; ended: AbortSignal } | null = null;
  let able = true;
  let turn: Promise<unknown> = Promise.resolve();

  function start(): { worker: Worker; ended: AbortSignal } {
    const script = new URL('./sqlite-pruning-thread.js', import.meta.url);
    // Without the flags of the application: they may load code that is meant for its main thread alone.
    const worker = new Worker(script, { workerData: file, execArgv: ['--no-warnings'] });
    const end = new AbortController();
    worker.once('exit', () => {
      end.abort();
      if (thread?.worker === worker) thread = null;
    });
    // Whoever waits for an answer is told; with nobody waiting, the next one starts another thread.
    worker.on('error', () => {});
    return { worker, ended: end.signal };
  }

  function stop(): void {
    thread?.worker.postMessage(null);
    thread = null;
  }

  async function pruneThere(now: number, limit: number): Promise<number> {
    thread ??= start();
    const { worker, ended } = thread;
    // The process waits for what was asked of the thread, and not for the thread.
    worker.ref();
    worker.postMessage({ now, limit });
    const [pruned] = (await once(worker, 'message', { signal: ended })) as [number];
    worker.unref();
    if (pruned < limit) stop();
    return pruned;
  }

  async function pruneAnywhere(now: number, limit: number): Promise<number> {
    try {
      return await pruneThere(now, limit);
    } catch {
      // If it is the file that fails, this fails too, and says how.
      able = false;
      return pruneHere(now, limit);
    }
  }

  return {
    prune(now, limit) {
      if (!able) return pruneHere(now, limit);
      const here = thread === null ? pruneHere(now, Math.min(limit, FEW)) : 0;
      if (limit === here || (thread === null && here < FEW)) return here;
      const there = turn.then(() => pruneAnywhere(now, limit - here));
      turn = there.catch(() => {});
      return there.then(pruned => here + pruned);
    },
    stop,
  };
}
