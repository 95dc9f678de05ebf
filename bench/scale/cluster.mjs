// server.mjs several times over, listening on one port; it takes the same arguments and answers the same questions.
import cluster from 'node:cluster';
import path from 'node:path';
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

function start() {
  cluster.setupPrimary({ exec: path.join(import.meta.dirname, '../server.mjs'), args: process.argv.slice(2) });
  for (let number = 0; number < PROCESSES; number++) cluster.fork();
  answerParent({
    // The workers ask for any port, and are all given the same one.
    listen: async () => (await askAll('listen'))[0],
    cpu: async () => ({ microseconds: (await askAll('cpu')).reduce((sum, { microseconds }) => sum + microseconds, 0) }),
  });
}

if (process.argv[1] === import.meta.filename) start();
