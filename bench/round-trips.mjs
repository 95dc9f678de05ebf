// Round trips to the store per request, counted on the wire before anything is timed.
import { setTimeout as delay } from 'node:timers/promises';
import { startContestant } from './contestant.mjs';
import { SHAPES } from './data.mjs';
import { answers, KINDS } from './kinds.mjs';
import { countingProxy } from './stores.mjs';

const REQUESTS = 20;
/** For what a store does after its answer. */
const AFTERWARDS = 50;

/** @returns by kind, the mean over some requests, one after the other, of one session */
export async function countRoundTrips(name, { settings, url }) {
  const proxy = await countingProxy(url);
  let contestant;
  try {
    contestant = await startContestant(name, { settings: { ...settings, sessions: 1 }, core: null, url: proxy.url });
    const [cookie] = contestant.cookies;
    const counts = {};
    let written = 0;
    const ask = async kind => {
      const { path, withCookie } = KINDS[kind];
      const response = await fetch(`http://127.0.0.1:${contestant.port}${path}`, {
        headers: withCookie ? { cookie } : {},
      });
      if (kind === 'write') written += 1;
      const session = kind === 'none' ? {} : { ...SHAPES[settings.data](), n: written };
      const [body, right] = [await response.text(), answers[kind](session)];
      if (body !== right) throw new Error(`${name}, ${kind}: wrong answer: '${body}' instead of '${right}'`);
    };
    for (const kind of settings.kinds) {
      // The first one prepares what later ones use again.
      await ask(kind);
      await delay(AFTERWARDS);
      const before = proxy.turns();
      for (let index = 0; index < REQUESTS; index++) await ask(kind);
      await delay(AFTERWARDS);
      counts[kind] = (proxy.turns() - before) / REQUESTS;
    }
    return counts;
  } finally {
    await contestant?.server.stop();
    proxy.stop();
  }
}
