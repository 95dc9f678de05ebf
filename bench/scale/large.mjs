// Part `large`: what a kilobyte of a session costs, to read and to write, in sessions of 64 KB to 1 MB, over HTTP on Express with
// the memory store. When that is the same for all of them the cost is linear.
import { answerParent, Child } from '../child.mjs';
import { converse } from '../connection.mjs';
import { KILOBYTE } from '../data.mjs';
import { spread } from '../report.mjs';
import { summary } from '../statistics.mjs';
import { setCookiesIn } from '../visitors.mjs';

const SIZES = [64, 128, 256, 512, 1024];
const ROUNDS = 9;
/** Of each size and kind in one round: as many as there are in so many kilobytes. */
const KILOBYTES_PER_ROUND = 8192;
const KINDS = ['read', 'write'];

async function measure() {
  const server = new Child('large', 'scale/large-server.mjs');
  try {
    const { port } = await server.ask('listen');
    const cookies = [];
    for (const size of SIZES) cookies.push(await ask(port, `/fill?kilobytes=${size}`, '', 1));
    const times = Object.fromEntries(KINDS.map(kind => [kind, SIZES.map(() => [])]));
    for (let round = -1; round < ROUNDS; round++) {
      for (const kind of KINDS) {
        for (const [index, size] of SIZES.entries()) {
          const requests = KILOBYTES_PER_ROUND / size;
          const before = await server.ask('cpu');
          await ask(port, `/${kind}`, cookies[index], requests);
          const { microseconds } = await server.ask('cpu');
          if (round >= 0) times[kind][index].push((microseconds - before.microseconds) / requests / size);
        }
      }
    }
    return present(times);
  } finally {
    await server.stop();
  }
}

/** @returns the cookie that it was given, if any */
async function ask(port, path, cookie, requests) {
  let set = '';
  let left = requests;
  const visitor = {
    request: Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${cookie && `Cookie: ${cookie}\r\n`}\r\n`),
    answered(body, head) {
      left -= 1;
      if (!body.startsWith('right')) throw new Error(`wrong answer: ${body}`);
      set = setCookiesIn(head).at(-1)?.split(';')[0] ?? set;
    },
  };
  await converse(port, [visitor], () => left > 0);
  return set;
}

function present(times) {
  const perKilobyte = (kind, index) => summary(times[kind][index]);
  const ratio = kind => {
    const rounds = times[kind][0].map((first, round) => times[kind].at(-1)[round] / first);
    return summary(rounds);
  };
  return {
    title: 'large: one session of 64 KB to 1 MB',
    times,
    rows: [
      ['', 'ms/request', 'CPU µs/KB', 'middle half'],
      ...KINDS.flatMap(kind => [
        [kind],
        ...SIZES.map((size, index) => {
          const figures = perKilobyte(kind, index);
          const { median } = figures;
          return [`${size} KB`, ((median * size) / 1000).toFixed(2), median.toFixed(2), spread(figures)];
        }),
      ]),
    ],
    words: [
      ...KINDS.map(kind => {
        const figures = ratio(kind);
        return `${kind}: a KB of ${SIZES.at(-1)} costs ${figures.median.toFixed(2)} (${spread(figures)}) of what a KB of ${SIZES[0]} does; 1 is linear, ${SIZES.at(-1) / SIZES[0]} would be quadratic.`;
      }),
      `${ROUNDS} rounds in turn. CPU time of the server's process, its garbage collection and its few microseconds of HTTP included (1 KB is ${KILOBYTE} B).`,
    ],
  };
}

answerParent({ measure });
