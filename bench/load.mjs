// The load: for some seconds, every connection asks again as soon as it has its answer. A process of its own, see child.mjs.
import { answerParent } from './child.mjs';
import { converse } from './connection.mjs';
import { createVisitor } from './visitors.mjs';

/** The visitors of each contestant and kind, over all rounds. */
const known = new Map();

function meet({ key, kind, cookies, remembers, shape }) {
  known.set(
    key,
    cookies.map((cookie, number) => createVisitor(kind, { cookie, number, remembers, shape })),
  );
  return {};
}

async function load({ key, port, connections, seconds, staysAwake }) {
  const visitors = known.get(key);
  const started = performance.now();
  let goesOn = true;
  setTimeout(() => {
    goesOn = false;
  }, seconds * 1000);
  let answered = 0;
  const busy = watchBusyness(() => ({ goesOn, answered }), staysAwake);
  // Every connection has sessions of its own, so that a write never races another one on purpose.
  const counts = await Promise.all(
    Array.from({ length: connections }, (_, own) =>
      converse(
        port,
        visitors.filter((_visitor, index) => index % connections === own),
        () => {
          answered++;
          return goesOn;
        },
      ),
    ),
  );
  const elapsed = performance.now() - started;

  return {
    requests: counts.reduce((sum, count) => sum + count, 0),
    seconds: elapsed / 1000,
    busy: busy(),
  };
}

/**
 * To wake a process that sleeps takes its server some microseconds of each answer, the more of them the more the load waits:
 * a slow server would pay more often, and a client elsewhere costs none of that. So where the core is its own, the load never
 * sleeps during a round. Beside a database it has to.
 *
 * @returns tells which part of the time so far it was busy
 */
function watchBusyness(look, staysAwake) {
  if (!staysAwake) {
    const before = performance.eventLoopUtilization();
    return () => performance.eventLoopUtilization(before).utilization;
  }
  const started = performance.now();
  let idle = 0;
  let last = started;
  let seen = 0;
  function turn() {
    const { goesOn, answered } = look();
    const now = performance.now();
    if (answered === seen) idle += now - last;
    last = now;
    seen = answered;
    if (goesOn) setImmediate(turn);
  }
  setImmediate(turn);
  return () => 1 - idle / (performance.now() - started);
}

answerParent({ meet, load });
