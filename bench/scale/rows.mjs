// Part `rows`: SQLite and Postgres with 1,000,000 rows beside 1,000: how long a read and a write take, and whether pruning all
// of them holds up the event loop or the readers.
import { setTimeout as sleep } from 'node:timers/promises';
import { answerParent } from '../child.mjs';
import { quantile } from '../statistics.mjs';
import { databases } from './databases.mjs';
import { PAUSE_HEADS, PAUSE_WORDS, pauseCells, watchPauses } from './pauses.mjs';
import { pruningOf } from './pruning.mjs';
import { keyOf, recordOf, userOf } from './records.mjs';

const SMALL = 1000;
const GOAL = 1.3;
const TURNS = 100;
const OPERATIONS = 100;
/** Milliseconds between two reads, and how long somebody reads before pruning begins. */
const PAUSE = 5;
const BEFORE = 10_000;

async function measure({ sessions }) {
  const found = [];
  for (const [name, open] of Object.entries(databases)) {
    const database = await open();
    try {
      const small = await database.filled(SMALL);
      const large = await database.filled(sessions);
      found.push({ name, times: await compare(small, large, sessions), pruning: await prune(large, sessions) });
      await Promise.all([small.close(), large.close()]);
    } finally {
      await database.stop();
    }
  }
  return present(found, sessions);
}

/** @returns microseconds of every read and every write, `{ read: [small, large], write: [small, large] }` */
async function compare(small, large, sessions) {
  for (const [store, count] of [
    [small, SMALL],
    [large, sessions],
  ]) {
    const [wanted, read] = [recordOf(count, userOf(count)), await store.read(keyOf(count))];
    if (JSON.stringify(read) !== JSON.stringify(wanted)) throw new Error(`filled with ${JSON.stringify(read)}.`);
  }
  const times = { read: [[], []], write: [[], []] };
  for (let turn = 0; turn < TURNS; turn++) {
    for (const index of turn % 2 === 0 ? [0, 1] : [1, 0]) {
      const [store, count] = index === 0 ? [small, SMALL] : [large, sessions];
      for (let number = 0; number < OPERATIONS; number++) {
        await operate(store, keyOf(1 + Math.floor(Math.random() * count)), [times.read[index], times.write[index]]);
      }
    }
  }
  return times;
}

/** A session is read, and then written, as a request does it. */
async function operate(store, key, [reads, writes]) {
  const began = performance.now();
  const record = await store.read(key);
  const read = performance.now();
  const { ok } = await store.replace(key, { ...record, version: record.version + 1 }, record.version);
  const written = performance.now();
  if (!ok) throw new Error('a write was refused.');
  reads.push((read - began) * 1000);
  writes.push((written - read) * 1000);
}

/** Everything has expired: it is pruned, while somebody reads every few milliseconds, who has done so for a while before. */
async function prune(store, sessions) {
  const run = pruningOf(store);
  const before = await readDuring(store, sessions, () => sleep(BEFORE));
  const meanwhile = await readDuring(store, sessions, run);
  if (meanwhile.result !== sessions) throw new Error(`${meanwhile.result} of ${sessions} were pruned.`);
  return { before, meanwhile };
}

async function readDuring(store, sessions, work) {
  const watch = watchPauses();
  const began = performance.now();
  let seconds;
  const working = work(watch).finally(() => {
    seconds = (performance.now() - began) / 1000;
  });
  const reads = [];
  while (seconds === undefined) {
    const asked = performance.now();
    await store.read(keyOf(1 + Math.floor(Math.random() * sessions)));
    reads.push(performance.now() - asked);
    await sleep(PAUSE);
  }
  return { result: await working, seconds, reads, pauses: await watch.stop() };
}

function present(found, sessions) {
  const count = sessions.toLocaleString('en');
  const rows = found.flatMap(({ name, times }) => [
    [name],
    ...Object.entries(times).map(([operation, [few, many]]) => {
      const [half, most] = [0.5, 0.99].map(part => [quantile(few, part), quantile(many, part)]);
      const ratio = half[1] / half[0];
      return [
        ...[operation, ...half.map(value => value.toFixed(0)), ratio.toFixed(2), ratio <= GOAL ? 'met' : 'missed'],
        ...[...most.map(value => value.toFixed(0)), (most[1] / most[0]).toFixed(2)],
      ];
    }),
  ]);
  return {
    title: `rows: ${count} beside ${SMALL.toLocaleString('en')}`,
    rows: [['', 'µs, few', 'µs, many', 'ratio', `goal: ${GOAL}`, '99 of 100, few', 'many', 'ratio'], ...rows],
    found: found.map(({ name, pruning: { meanwhile } }) => ({
      name,
      seconds: meanwhile.seconds,
      pauses: meanwhile.pauses,
    })),
    words: found
      .map(({ name, pruning: { before, meanwhile } }) => {
        const pruned = `${name}: ${count} expired rows pruned in ${meanwhile.seconds.toFixed(1)} s`;
        return `${pruned}; ${wordsOf(meanwhile)}. Before that, ${before.seconds.toFixed(0)} s without pruning: ${wordsOf(before)}.`;
      })
      .concat(PAUSE_WORDS),
  };
}

function wordsOf({ reads, pauses }) {
  const cells = pauseCells(pauses).map((cell, index) => `${PAUSE_HEADS[index]} ${cell}`);
  const [half, most, longest] = [0.5, 0.99, 1].map(part => quantile(reads, part).toFixed(1));
  return `${cells.join(', ')}; reads ${half} ms, 99 of 100 within ${most} ms, the longest ${longest} ms`;
}

answerParent({ measure });
