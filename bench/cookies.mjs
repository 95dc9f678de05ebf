// `npm run bench -- --cookies`: the functions for cookies beside those of cookie and cookie-signature, in one process, in
// batches that take turns. Told as a ratio of the two batches of a turn, and as a median of all turns.
import { ratioCells } from './report.mjs';
import { loudness, summary } from './statistics.mjs';

const BATCH = 20;
const TURNS_PER_ROUND = 7;
const HEADS = ['', 'ns/call', 'of the peer', 'speed', 'spread'];

/** Everything is measured here in this process; nothing else may run in it meanwhile. @returns a group as run.mjs has them */
export async function measureCookies({ rounds }) {
  // Not at the start: these files are there only once the package is built.
  const { CASES } = await import('./cookie-cases.mjs');
  const measured = CASES.map(one => measure(one, rounds * TURNS_PER_ROUND));
  const loudest = Math.max(...measured.map(({ loudness }) => loudness));
  return {
    title: 'cookies',
    label: 'speed, 1 is the peer',
    measured: measured.map(({ operation, peer, input, turns }) => ({ operation, peer, input, turns })),
    rows: [HEADS, ...grouped(measured).flatMap(({ heading, cases }) => [[heading], ...cases.map(rowOf)])],
    bars: grouped(measured).map(({ heading, cases }) => ({
      heading,
      bars: cases.map(({ input, speed }) => ({ name: `madeleine, ${input}`, ...speed })),
    })),
    words: [
      'Speed is calls of ours in the time of one of the peer: above 1 ours is the faster one. Results were equal before timing.',
      `Loudness: the middle half of the turns differs by up to ${(100 * loudest).toFixed(0)} % in the ratio.`,
    ],
  };
}

function measure({ operation, peer, input, ours, peers }, count) {
  const calls = { ours: callsIn(ours), peers: callsIn(peers) };
  const turns = [];
  for (let number = 0; number < count; number++) {
    const turn = { ours: 0, peers: 0 };
    // The other one begins each time.
    const order = number % 2 === 0 ? ['ours', 'peers'] : ['peers', 'ours'];
    for (const side of order) turn[side] = time(side === 'ours' ? ours : peers, calls[side]) / calls[side];
    turns.push(turn);
  }
  const ratios = turns.map(turn => turn.peers / turn.ours);
  return {
    ...{ operation, peer, input, turns },
    nanoseconds: { ours: nanoseconds(turns, 'ours'), peers: nanoseconds(turns, 'peers') },
    speed: summary(ratios),
    loudness: loudness(ratios),
  };
}

const nanoseconds = (turns, side) => summary(turns.map(turn => turn[side] * 1e6)).median;

/** How many calls fill a batch, once the function is warm. */
function callsIn(call) {
  let calls = 100;
  for (let elapsed = 0; elapsed < BATCH; ) {
    elapsed = time(call, calls);
    if (elapsed < BATCH) calls *= 2;
  }
  return calls;
}

/** Kept and looked at, so that no call can be left out. */
let last;

/** @returns milliseconds */
function time(call, calls) {
  const started = performance.now();
  for (let index = 0; index < calls; index++) last = call();
  const elapsed = performance.now() - started;
  if (last === undefined) throw new Error('a call gave nothing.');
  return elapsed;
}

function grouped(measured) {
  const groups = new Map();
  for (const one of measured) {
    const heading = `${one.operation}, beside ${one.peer}`;
    groups.set(heading, [...(groups.get(heading) ?? []), one]);
  }
  return [...groups].map(([heading, cases]) => ({ heading, cases }));
}

const rowOf = ({ input, nanoseconds: { ours, peers }, speed }) => [
  input,
  ours.toFixed(0),
  peers.toFixed(0),
  ...ratioCells(false, speed),
];
