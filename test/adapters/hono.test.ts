// Hono through the suite for adapters, on @hono/node-server; what is Hono's alone stands in hono-own.test.ts.
import { getRequestListener } from '@hono/node-server';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { setCookie } from 'hono/cookie';
import { stream, streamText } from 'hono/streaming';
import { requireLogin, requireRecentLogin, requireUser, type SessionVariables, session } from 'madeleine/hono';
import { adapterConformance, GUARDED_PATHS } from 'madeleine/testing';
import { serve } from '../support/serve.ts';

async function writeSome(out: { write(text: string): Promise<unknown> }): Promise<void> {
  for (let i = 0; i < 9; i++) await out.write(`part ${i} `);
}

const ways: Record<string, (c: Context) => Response | Promise<Response>> = {
  text: c => c.text('ok'),
  json: c => c.json({ ok: true }, 201),
  html: c => c.html('<p>ok</p>'),
  redirect: c => c.redirect('/data'),
  'a Response': () => new Response('ok', { status: 202, headers: { 'X-Mine': '1', 'Content-Type': 'text/plain' } }),
  'a Response whose fields cannot be changed': () => Response.redirect('http://suite.invalid/data', 303),
  'a stream': () => new Response(new Blob(['one', 'x'.repeat(100_000)]).stream()),
  stream: c => stream(c, writeSome),
  streamText: c => streamText(c, writeSome),
  'own cookie': c => {
    setCookie(c, 'own', '1');
    return c.body('ok');
  },
  'no content': c => c.body(null, 204),
  'not found': c => c.notFound(),
};

/**
 * @hono/node-server sends text past the Fetch API as long as nobody changes its fields, and a session changes them. Node gives the
 * length of a body either way; Bun sends what follows a writeHead() in chunks. So there the bare framework changes a field too.
 */
const offTheFastPath: MiddlewareHandler = async (c, next) => {
  await next();
  c.res.headers.delete('X-Nobody-Has-It');
};

adapterConformance({
  name: 'Hono 4 on @hono/node-server',
  ways: Object.keys(ways),
  node: false,
  async serve({ session: options, handle }) {
    const app = new Hono<{ Variables: SessionVariables }>();
    app.onError((error, c) => c.text(error.message, (error as { status?: 500 }).status ?? 500));
    const remember = options && session(options);
    if (remember) app.use(remember);
    else if ('bun' in process.versions) app.use(offTheFastPath);
    app.use(`${GUARDED_PATHS.requireLogin}/*`, requireLogin());
    app.use(
      `${GUARDED_PATHS.requireUser}/*`,
      requireUser(id => id === 'ada'),
    );
    app.use(`${GUARDED_PATHS.requireRecentLogin}/*`, requireRecentLogin('10m'));
    app.all('*', async c => {
      const { pathname, search } = new URL(c.req.url);
      const answer = await handle({ url: pathname + search, session: () => c.get('session') });
      if ('way' in answer) return ways[answer.way]?.(c) as Response;
      if ('node' in answer) throw new Error('not asked for');
      return c.newResponse(answer.body, answer.status as 200, answer.headers);
    });
    return { ...(await serve(getRequestListener(app.fetch))), sessions: remember?.sessions };
  },
});
