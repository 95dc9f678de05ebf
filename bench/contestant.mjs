// One variant under test: its server process, and the sessions that its visitors have there.
import { randomBytes } from 'node:crypto';
import { Child } from './child.mjs';
import { remembers } from './variants.mjs';

/** Longer than the session cookie of any variant. Every Cookie header is filled up to it, as other cookies of a site would. */
const COOKIE_LENGTH = 160;

/** @returns null, said in words, for a package that is not built */
export async function startContestant(name, { settings, core, flags, url }) {
  const server = new Child(name, 'server.mjs', {
    args: url ? [name, settings.data, url] : [name, settings.data],
    core,
    flags,
  });
  try {
    const { port, notBuilt } = await server.ask('listen');
    if (notBuilt) {
      console.log(`${name}: left out, it is not built yet (npm run build). ${notBuilt}\n`);
      await server.stop();
      return null;
    }
    const cookies = [];
    for (let index = 0; index < settings.sessions; index++) cookies.push(filledUp(await fillSession(name, port)));
    return { name, server, port, cookies, staysAwake: !url };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Puts the data into a new session. The bare application gets a cookie of the same kind that it will not look at. */
async function fillSession(name, port) {
  const response = await fetch(`http://127.0.0.1:${port}/fill`);
  const body = await response.text();
  if (response.status !== 200) throw new Error(`${name}: /fill answered ${response.status}: ${body}`);
  const header = response.headers.getSetCookie()[0];
  if (remembers(name) && !header) throw new Error(`${name}: /fill set no cookie.`);
  return header ? header.split(';')[0] : `session=1.${randomBytes(64).toString('base64url')}`;
}

function filledUp(cookie) {
  const filler = '; theme=';
  const missing = COOKIE_LENGTH - cookie.length - filler.length;
  if (missing < 1) throw new Error(`The session cookie has ${cookie.length} characters: raise COOKIE_LENGTH.`);
  return cookie + filler + 'd'.repeat(missing);
}

/** One round of load on it: requests per second as the client saw them, CPU time per request as the server spent it. */
export async function playRound(contestant, kind, { load, settings, seconds }) {
  const { name, server, port, cookies, staysAwake } = contestant;
  const before = await server.ask('cpu');
  const { requests, busy, ...round } = await load
    .ask('load', {
      ...{ port, kind, cookies, seconds, staysAwake },
      ...{ remembers: remembers(name), connections: settings.connections, shape: settings.data },
    })
    .catch(error => {
      throw new Error(`${name}, ${kind}: ${error.message}`);
    });
  const after = await server.ask('cpu');
  return {
    requests,
    requestsPerSecond: requests / round.seconds,
    cpuPerRequest: (after.microseconds - before.microseconds) / requests,
    loadBusy: busy,
  };
}
