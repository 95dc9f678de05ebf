// Cookies with a wrong signature, and the proof that none of them leads to the store.
import { converse } from './connection.mjs';
import { startContestant } from './contestant.mjs';
import { createVisitor } from './visitors.mjs';

const REQUESTS = 50;

/**
 * Sends genuine and forged cookies to a process whose store is watched and which is not timed.
 *
 * @returns what to say about it
 * @throws when ours asks its store for a forged cookie, and when the watch sees nothing at all
 */
export async function watchForgeries(framework, name, { settings }) {
  const contestant = await startContestant(framework, name, { settings: { ...settings, sessions: 1 }, watched: true });
  if (!contestant) return null;
  const { server, port } = contestant;
  try {
    const asked = async kind => {
      const [cookie] = await contestant.cookiesFor(kind);
      const visitor = createVisitor(kind, { cookie, number: 0, remembers: true, shape: settings.data });
      const before = await server.ask('storeCalls');
      let answered = 0;
      await converse(port, [visitor], () => ++answered < REQUESTS).catch(error => {
        throw new Error(`${framework}, ${name}, ${kind}: ${error.message}`);
      });
      return (await server.ask('storeCalls')).count - before.count;
    };
    // The genuine one first: a watch that sees nothing, or a cookie that is never accepted, would prove nothing.
    const genuine = await asked('read');
    const forged = await asked('forged');
    const taken = `${name}: ${REQUESTS} forged cookies were each taken for a stranger's`;
    const { stores } = await server.ask('storeCalls');
    if (stores === 0) return `${taken}; there is no store to watch.`;
    if (genuine < REQUESTS) throw new Error(`${name}: the watch saw ${genuine} store calls of ${REQUESTS} reads.`);
    if (forged > 0 && name.startsWith('madeleine')) {
      throw new Error(`${name}: ${forged} store calls for ${REQUESTS} forged cookies.`);
    }
    return `${taken}, with ${forged} store calls (${genuine} for as many genuine ones).`;
  } finally {
    await server.stop();
  }
}
