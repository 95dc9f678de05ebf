// Part `processes`: four server processes behind one Redis beside one, on Express, under the same load and on the same cores.
// They share these with Redis and with the load generator, so this is no more than what is left for them;
// the bare application says how much that is.
import os from 'node:os';
import { answerParent, Child } from '../child.mjs';
import { playRound, startContestant } from '../contestant.mjs';
import { ratioCells } from '../report.mjs';
import { loudness, summary } from '../statistics.mjs';
import { startStore } from '../stores.mjs';
import { PROCESSES } from './cluster.mjs';

const KINDS = ['read', 'write'];
const ROUNDS = 5;
const SECONDS = 2;
const SETTINGS = { connections: 16, sessions: 256, data: 'objects' };
const NAMES = ['bare', 'madeleine-redis'];
const PROGRAMS = ['server.mjs', 'scale/cluster.mjs'];

async function measure() {
  const redis = await startStore('redis');
  const load = new Child('load', 'load.mjs');
  const contestants = [];
  try {
    for (const name of NAMES) {
      for (const program of PROGRAMS) {
        const url = redis.createDatabase();
        contestants.push(await startContestant('express', name, { settings: SETTINGS, url, program }));
      }
    }
    const results = [];
    for (const kind of KINDS) {
      for (const name of NAMES) {
        const two = contestants.filter(contestant => contestant.name === name);
        results.push({ kind, name, rounds: await playRounds(kind, two, load) });
      }
    }
    return present(results);
  } finally {
    await Promise.all([load, ...contestants.map(({ server }) => server)].map(child => child.stop()));
    await redis.stop();
  }
}

/** One process and four take turns; the other one begins each time. Every answer is checked, and so every count. */
async function playRounds(kind, contestants, load) {
  const rounds = [];
  for (let number = -1; number < ROUNDS; number++) {
    const round = [];
    for (const index of number % 2 === 0 ? [0, 1] : [1, 0]) {
      round[index] = await playRound(contestants[index], kind, { load, settings: SETTINGS, seconds: SECONDS });
    }
    if (number >= 0) rounds.push(round);
  }
  return rounds;
}

function present(results) {
  const ratios = ({ rounds }) => rounds.map(([one, four]) => four.requestsPerSecond / one.requestsPerSecond);
  const busiest = Math.max(...results.flatMap(({ rounds }) => rounds.flat().map(({ loadBusy }) => loadBusy)));
  const noise = Math.max(...results.map(result => loudness(ratios(result))));
  return {
    title: `processes: ${PROCESSES} behind one Redis`,
    results,
    rows: [
      ['', 'requests/s', 'of one process', 'middle half', 'CPU µs/request'],
      ...results.flatMap(result => [
        [`${result.kind}, ${result.name}`],
        ...['1 process', `${PROCESSES} processes`].map((name, index) => {
          const figure = what => summary(result.rounds.map(round => round[index][what])).median;
          const ratio = ratioCells(index === 0, summary(ratios(result)));
          return [name, figure('requestsPerSecond').toFixed(0), ...ratio, figure('cpuPerRequest').toFixed(1)];
        }),
      ]),
    ],
    words: [
      `${os.availableParallelism()} cores for the servers, Redis and the load generator together, which was up to ` +
        `${(100 * busiest).toFixed(0)} % busy: ${PROCESSES} processes cannot be ${PROCESSES} times as fast here.`,
      `Not an update was lost between the processes: every answer was checked. The middle half of the rounds differs by up to ${(100 * noise).toFixed(0)} % in the ratio.`,
    ],
  };
}

answerParent({ measure });
