// Round trips to the store per request, counted on the wire before anything is timed.
import { setTimeout as delay } from 'node:timers/promises';
import { converse } from './connection.mjs';
import { startContestant } from './contestant.mjs';
import { countingProxy } from './stores.mjs';
import { createVisitor } from './visitors.mjs';

const REQUESTS = 20;
/** For what a store does after its answer. */
const AFTERWARDS = 50;

/** @returns by kind, the mean over some requests, one after the other, of one session */
export async function countRoundTrips(name, { settings, url }) {
  const proxy = await countingProxy(url);
  let contestant;
  try {
    contestant = await startContestant('express', name, { settings: { ...settings, sessions: 1 }, url: proxy.url });
    const counts = {};
    for (const kind of settings.kinds) {
      const [cookie] = await contestant.cookiesFor(kind);
      const visitor = createVisitor(kind, { cookie, number: 0, remembers: true, shape: settings.data });
      const ask = async times => {
        let answered = 0;
        await converse(contestant.port, [visitor], () => ++answered < times);
        await delay(AFTERWARDS);
      };
      // The first one prepares what later ones use again.
      await ask(1);
      const before = proxy.turns();
      await ask(REQUESTS);
      counts[kind] = (proxy.turns() - before) / REQUESTS;
    }
    return counts;
  } finally {
    await contestant?.server.stop();
    proxy.stop();
  }
}
