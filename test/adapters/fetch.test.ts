// Fetch handlers through the suite for adapters, with a server between that hands them Node's requests.
import { getRequestListener } from '@hono/node-server';
import { requireLogin, requireRecentLogin, requireUser, session } from 'madeleine/fetch';
import { adapterConformance, GUARDED_PATHS } from 'madeleine/testing';
import { serve } from '../support/serve.ts';

const ways: Record<string, () => Response> = {
  text: () => new Response('ok'),
  json: () => Response.json({ ok: true }, { status: 201 }),
  redirect: () => Response.redirect('http://suite.invalid/data', 303),
  'a stream': () => new Response(new Blob(['one', 'x'.repeat(100_000)]).stream()),
  'own cookie': () => new Response('ok', { headers: { 'Set-Cookie': 'own=1' } }),
  'no content': () => new Response(null, { status: 204 }),
  'a status and its text': () => new Response('gone', { status: 410, statusText: 'Away' }),
};

const GUARDS = [
  { path: GUARDED_PATHS.requireLogin, guard: requireLogin() },
  { path: GUARDED_PATHS.requireUser, guard: requireUser(id => id === 'ada') },
  { path: GUARDED_PATHS.requireRecentLogin, guard: requireRecentLogin('10m') },
];

adapterConformance({
  name: "Fetch, with Node's own Request and Response",
  ways: Object.keys(ways),
  node: false,
  async serve({ session: options, handle }) {
    // The server between is the proxy that knows the client's address.
    const remember = options && session({ ...options, trustProxy: 1 });
    const answer = async (request: Request): Promise<Response> => {
      const { pathname, search } = new URL(request.url);
      const given = await handle({ url: pathname + search, session: () => remember?.of(request) as object });
      if ('way' in given) return ways[given.way]?.() as Response;
      if ('node' in given) throw new Error('not asked for');
      const headers = Object.entries(given.headers).flatMap(([field, values]) =>
        [values].flat().map((value): [string, string] => [field, value]),
      );
      return new Response(given.body, { status: given.status, headers });
    };
    // What frameworks do: an error of a handler becomes a response further in.
    const route = (request: Request) => {
      const guarded = GUARDS.find(({ path }) => new URL(request.url).pathname.startsWith(path));
      const handler = guarded ? guarded.guard(answer) : answer;
      return handler(request).catch(error => new Response(error.message, { status: 500 }));
    };
    const handler = remember ? remember.withSession(route) : route;
    const listener = getRequestListener(
      (request, { incoming }) => {
        request.headers.set('X-Forwarded-For', incoming.socket.remoteAddress ?? '');
        return handler(request);
      },
      { overrideGlobalObjects: false },
    );
    return { ...(await serve(listener)), sessions: remember?.sessions };
  },
});
