// server.mjs several times over, listening on one port; it takes the same arguments and answers the same questions.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { answerParent } from '../child.mjs';

export const PROCESSES = 4;

/** @returns what each worker answers */
const askAll = question =>
  Promise.all(
    Object.values(cluster.workers).map(
      worker =>
        new Promise((resolve, reject) => {
          worker.once('message', reply => (reply.failed ? reject(new Error(reply.failed)) : resolve(reply)));
          worker.send({ question, details: {} });
        }),
    ),
  );

async function startPrimary() {
  cluster.setupPrimary({ args: process.argv.slice(2) });
  const workers = Array.from({ length: PROCESSES }, () => cluster.fork());
  const ready = Promise.all(workers.map(worker => once(worker, 'message')));
  answerParent({
    async listen() {
      await ready;
      // The workers ask for any port, and are all given the same one.
      return (await askAll('listen'))[0];
    },
    cpu: async () => ({ microseconds: (await askAll('cpu')).reduce((sum, { microseconds }) => sum + microseconds, 0) }),
  });
}

async function startWorker() {
  await import('../server.mjs');
  // What it was asked before would have been lost.
  process.send('ready');
}

if (cluster.isWorker) await startWorker();
else if (process.argv[1] === import.meta.filename) await startPrimary();
