// One variant under test: its server process, and the sessions that its visitors have there.
import { randomBytes } from 'node:crypto';
import { Child } from './child.mjs';
import { Jar } from './jar.mjs';
import { KINDS } from './kinds.mjs';
import { remembers } from './variants.mjs';

/**
 * @param program what serves: one process, if not said
 * @returns null, said in words, for a package that is not built
 */
export async function startContestant(framework, name, options) {
  const { settings, core = null, flags, url, watched = false, program = 'server.mjs' } = options;
  const server = new Child(name, program, {
    args: [framework, name, settings.data, watched ? 'watched' : 'plain', ...(url ? [url] : [])],
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
    const cookiesFor = cookieGiver(name, port, settings.sessions);
    return { framework, name, server, port, cookiesFor, met: new Set() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** One Cookie header a session, made when a kind first wants them. */
function cookieGiver(name, port, sessions) {
  const byPath = new Map();
  return async kind => {
    const { fill } = KINDS[kind];
    if (!fill) return Array.from({ length: sessions }, () => '');
    if (!byPath.has(fill)) {
      const cookies = [];
      for (let index = 0; index < sessions; index++) cookies.push(await fillSession(name, port, fill));
      byPath.set(fill, cookies);
    }
    return byPath.get(fill);
  };
}

/** Puts the data into a new session. */
async function fillSession(name, port, path) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  const body = await response.text();
  if (response.status !== 200) throw new Error(`${name}: ${path} answered ${response.status}: ${body}`);
  return firstCookie(name, path, response.headers.getSetCookie());
}

/** What a visitor comes with. The bare application gets a cookie of the same kind that it will not look at. */
export function firstCookie(name, path, setCookies) {
  const jar = new Jar('');
  jar.takeUp(setCookies);
  if (remembers(name) && jar.header === '') throw new Error(`${name}: ${path} set no cookie.`);
  return jar.header || `session=1.${randomBytes(64).toString('base64url')}`;
}

/** One round of load on it: requests per second as the client saw them, CPU time per request as the server spent it. */
export async function playRound(contestant, kind, { load, settings, seconds, staysAwake }) {
  const { framework, name, server, port, met } = contestant;
  const key = `${port} ${kind}`;
  try {
    if (!met.has(kind)) {
      const cookies = await contestant.cookiesFor(kind);
      await load.ask('meet', { key, kind, cookies, remembers: remembers(name), shape: settings.data });
      met.add(kind);
    }
    const before = await server.ask('cpu');
    const { requests, busy, ...round } = await load.ask('load', {
      ...{ key, port, seconds, staysAwake, connections: settings.connections },
    });
    const after = await server.ask('cpu');
    return {
      requests,
      requestsPerSecond: requests / round.seconds,
      cpuPerRequest: (after.microseconds - before.microseconds) / requests,
      loadBusy: busy,
    };
  } catch (error) {
    throw new Error(`${framework}, ${name}, ${kind}: ${error.message}`);
  }
}
