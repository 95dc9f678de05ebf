/** Runs in a thread of its own, which `sqlite-pruning.ts` starts: deletes expired records of the file that it is told. */
import { parentPort, workerData } from 'node:worker_threads';
import { openFile } from './sqlite-file.ts';
import { PRUNE } from './sqlite-schema.ts';

/** For about how long, in milliseconds, a writer may find the file locked; in pauses of this length others get in. */
const SLICE = 2;
const SMALLEST_BATCH = 5;

const database = openFile(workerData as string, 'process');
const statement = database.prepare(PRUNE);
const bell = new Int32Array(new SharedArrayBuffer(4));
let batch = SMALLEST_BATCH;

function prune(now: number, limit: number): number {
  for (let pruned = 0; ; ) {
    const wanted = Math.min(batch, limit - pruned);
    const begun = performance.now();
    const deleted = Number(statement.run(now, wanted).changes);
    const taken = performance.now() - begun;
    pruned += deleted;
    if (deleted < wanted || pruned === limit) return pruned;
    batch = taken > SLICE ? Math.max(SMALLEST_BATCH, batch >> 1) : batch + 1;
    // A pause: nobody rings.
    Atomics.wait(bell, 0, 0, SLICE);
  }
}

parentPort?.on('message', (task: { now: number; limit: number } | null) => {
  if (task !== null) return parentPort?.postMessage(prune(task.now, task.limit));
  database.close();
  // Of this thread alone. (Deno's port has no `close`.)
  process.exit();
});
