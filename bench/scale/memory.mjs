// Part `memory`: what a session of 200 B takes in the memory store, beside express-session's MemoryStore; what is given back
// when all have expired; and how long the event loop stands still while they are added, evicted and pruned.
import { answerParent, Child } from '../child.mjs';
import { PAUSE_HEADS, PAUSE_WORDS, pauseCells } from './pauses.mjs';

const PEER = 'express-session';
const CONTESTANTS = ['madeleine, visitors', 'madeleine, logged in', 'a Map alone', PEER];

async function measure({ sessions }) {
  const found = [];
  for (const name of CONTESTANTS) {
    const child = new Child(name, 'scale/memory-child.mjs', {
      args: [name, String(sessions)],
      flags: ['--expose-gc', '--max-old-space-size=4096'],
    });
    try {
      found.push({ name, ...(await child.ask('measure')) });
    } finally {
      await child.stop();
    }
  }
  const peer = found.find(({ name }) => name === PEER).bytes;
  const words = found.map(
    ({ name, bytes, givenBack }) =>
      `${name}: ${bytes.toFixed(0)} bytes a session, ${(bytes / peer).toFixed(2)} of the peer; ` +
      `after expiry ${givenBack === undefined ? 'nothing' : `${(100 * givenBack).toFixed(1)} %`} is given back.`,
  );
  return {
    title: `memory: ${sessions.toLocaleString('en')} sessions of 200 B`,
    found,
    rows: [
      ['', ...PAUSE_HEADS],
      ...found.flatMap(({ name, pauses }) => [
        [name],
        ...Object.entries(pauses).map(([work, figures]) => [work, ...pauseCells(figures)]),
      ]),
    ],
    words: [
      ...words,
      'The 200 B are the JSON text of the data. The peer keeps a cookie of 90 B in the same text, which is left out here in its favour.',
      'The peer forgets an expired session only when somebody asks for it, or for all of them: of visitors who do not come back it keeps everything.',
      ...PAUSE_WORDS,
    ],
  };
}

answerParent({ measure });
