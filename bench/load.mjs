// The load: for some seconds, every connection asks again as soon as it has its answer. A process of its own, see child.mjs.
import { answerParent } from './child.mjs';
import { converse } from './connection.mjs';
import { SHAPES } from './data.mjs';
import { answers, requestBytes } from './kinds.mjs';

/** How often each session was written to: what it has to say at the next write, over all rounds. */
const written = new Map();

async function load({ port, kind, cookies, remembers, connections, seconds, shape }) {
  const visitors = cookies.map(cookie => ({
    request: requestBytes(kind, cookie),
    check: kind === 'write' && remembers ? counting(cookie) : constant(kind, shape),
  }));

  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  let goesOn = true;
  setTimeout(() => {
    goesOn = false;
  }, seconds * 1000);
  // Every connection has sessions of its own, so that a write never races another one on purpose.
  const counts = await Promise.all(
    Array.from({ length: connections }, (_, own) =>
      converse(
        port,
        visitors.filter((_visitor, index) => index % connections === own),
        () => goesOn,
      ),
    ),
  );
  const elapsed = performance.now() - started;
  const { user, system } = process.cpuUsage(cpuBefore);

  return {
    requests: counts.reduce((sum, count) => sum + count, 0),
    seconds: elapsed / 1000,
    busy: (user + system) / 1000 / elapsed,
  };
}

function constant(kind, shape) {
  if (kind === 'write') return body => must(body.length === answers.write({ n: 0 }).length, body, 'a count');
  const right = answers[kind](kind === 'none' ? {} : SHAPES[shape]());
  return body => must(body === right, body, right);
}

/** A session that forgets one write gives the wrong number. */
function counting(cookie) {
  return body => {
    const n = (written.get(cookie) ?? 0) + 1;
    const right = answers.write({ n });
    must(body === right, body, right);
    written.set(cookie, n);
  };
}

function must(isRight, body, right) {
  if (!isRight) throw new Error(`wrong answer: '${body}' instead of '${right}'`);
}

answerParent({ load });
