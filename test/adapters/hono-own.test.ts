// What is Hono's alone: its variables and their types, its error handling, its streaming helpers, requests without a server.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { streamSSE, streamText } from 'hono/streaming';
import { requireLogin, type SessionVariables, session } from 'madeleine/hono';
import { memoryStore } from 'madeleine/memory';
import { faultStore, readSetCookie } from 'madeleine/testing';
import { Client, request } from '../support/client.ts';
import { gateway } from '../support/gateway.ts';
import { serve } from '../support/serve.ts';

const secret = 'a secret of more than thirty-two bytes';
/** @hono/node-server puts its own in its place. */
const NativeResponse = globalThis.Response;
const create = () => new Hono<{ Variables: SessionVariables }>();
const brokenStore = () =>
  faultStore(memoryStore(), ({ operation }) => (operation === 'create' ? { kind: 'fail' } : null));

function cookieOf(response: Response): string {
  const [first = ''] = response.headers.getSetCookie();
  const { name, value } = readSetCookie(first);
  return `${name}=${value}`;
}

describe('Hono', () => {
  it('c.get, c.var and of() are one session, typed; other variables stay; it cannot be assigned', async () => {
    const app = new Hono<{ Variables: SessionVariables<{ visits: number }> & { mine: string } }>();
    const remember = session<{ visits: number }>({ secret });
    app.use(async (c, next) => {
      c.set('mine', 'before');
      await next();
    });
    app.use(remember);
    app.get('/', c => {
      const { session: present, mine } = c.var;
      const visits: number = (c.get('session').visits ?? 0) + 1;
      c.var.session.visits = visits;
      assert.equal(present, c.get('session'));
      assert.equal(present, remember.of(c));
      assert.deepEqual([mine, c.get('mine')], ['before', 'before']);
      c.set('mine', 'after');
      assert.deepEqual([c.var.mine, c.get('mine')], ['after', 'after']);
      assert.throws(() => c.set('session', present), { code: 'ERR_DATA_KEY' });
      return c.json(visits);
    });
    const first = await app.request('/');
    assert.equal(await (await app.request('/', { headers: { cookie: cookieOf(first) } })).json(), 2);
  });

  it('what fetch() gave, as a proxy gives it on, carries the cookie, and its status and fields', async context => {
    const upstream = await serve((_req, res) =>
      res.writeHead(201, 'Made', { 'Set-Cookie': 'own=1', 'X-Own': '1' }).end('made'),
    );
    context.after(upstream.close);
    const app = create().use(session({ secret }));
    app.get('/', c => {
      c.get('session').visits = 1;
      return fetch(upstream.url);
    });
    const served = await serve(getRequestListener(app.fetch));
    context.after(served.close);
    const { status, body, headers, setCookies } = await request(served.url);
    assert.deepEqual([status, body, headers['x-own']], [201, 'made', '1']);
    assert.deepEqual(
      setCookies.map(line => line.split('=')[0]),
      ['own', 'session'],
    );
  });

  it('a stream that fails at once breaks off, as it does without a session', async context => {
    const app = create().use(session({ secret }));
    app.get('/', c => {
      c.get('session').visits = 1;
      return new Response(new ReadableStream({ start: controller => controller.error(new Error('failed')) }));
    });
    const served = await serve(getRequestListener(app.fetch));
    context.after(served.close);
    await assert.rejects(request(served.url), { code: 'ECONNRESET' });
  });

  it('a Response that handlers give to everybody carries nobody’s cookie to another', async () => {
    const refused = new Map<string, Response>();
    const app = create().use(session({ secret }));
    // @hono/node-server keeps text and empty bodies at hand, and sends such a Response as often as it is given back.
    const give = (path: string, make: () => Response) => {
      app.get(path, c => {
        if (c.req.query('begin')) c.var.session.visits = 1;
        if (!refused.has(path)) refused.set(path, make());
        return refused.get(path) as Response;
      });
    };
    give('/text', () => new Response('No.', { status: 403, headers: { 'X-Own': 'kept' } }));
    give('/empty', () => new Response(null, { status: 204, headers: { 'X-Own': 'kept' } }));
    const served = await serve(getRequestListener(app.fetch));
    for (const path of ['/text', '/empty']) {
      const first = await request(`${served.url}${path}?begin=1`);
      assert.equal(first.setCookies.length, 1);
      const second = await request(served.url + path);
      assert.deepEqual([second.setCookies, second.headers.vary, second.headers['x-own']], [[], undefined, 'kept']);
      assert.deepEqual([second.status, second.body], [first.status, first.body]);
    }
    await served.close();
  });

  it('flash messages, both ways', async () => {
    const app = create().use(session({ secret }));
    app.get('/', c => {
      c.var.flash('info', 'Saved.');
      c.get('flash')('info', 'Again.');
      return c.json(c.var.flash('info'));
    });
    assert.deepEqual(await (await app.request('/')).json(), ['Saved.', 'Again.']);
  });

  it('after a logout the session is the empty one', async () => {
    const app = create().use(session({ secret }));
    app.get('/', async c => {
      c.var.session.visits = 1;
      await c.var.session.logout();
      return c.json({ ...c.var.session });
    });
    assert.deepEqual(await (await app.request('/')).json(), {});
  });

  it('a save that fails goes to onError, which sees nothing of the response that is not to be', async () => {
    const app = create();
    app.onError((error, c) => {
      const { code, status } = error as Error & { code: string; status: 503 };
      return c.json({ code }, status);
    });
    app.use(session({ secret, store: brokenStore() }));
    app.get('/', c => {
      c.var.session.visits = 1;
      c.header('ETag', '"1"');
      c.header('X-Kept', '1');
      c.header('Set-Cookie', 'own=1');
      c.status(201);
      return c.redirect('/elsewhere');
    });
    const response = await app.request('/');
    assert.deepEqual([response.status, await response.json()], [503, { code: 'ERR_STORE_FAILED' }]);
    assert.deepEqual(
      ['location', 'etag', 'x-kept'].map(name => response.headers.get(name)),
      [null, null, '1'],
    );
    assert.deepEqual(response.headers.getSetCookie(), []);
  });

  it('after such a save a login in onError says that its cookie reaches nobody', async () => {
    const app = new Hono<{ Variables: SessionVariables }>();
    app.use(session({ secret, maxDataSize: 1000 }));
    app.get('/', c => {
      c.get('session').theme = 'x'.repeat(2000);
      return c.text('ok');
    });
    app.onError(async (_error, c) => {
      delete c.get('session').theme;
      const refused = await c
        .get('session')
        .login('u1')
        .catch(error => error.code);
      return c.text(String(refused), 400);
    });
    const answer = await app.request('/');
    assert.deepEqual([await answer.text(), answer.headers.getSetCookie()], ['ERR_HEADERS_SENT', []]);
  });

  it('without onError it is a bare 503; data that cannot be kept a 500, which Hono logs', async t => {
    const app = create().use(session({ secret, store: brokenStore() }));
    app.get('/', c => {
      c.var.session.visits = 1;
      return c.text('ok', 200, { Location: '/elsewhere' });
    });
    app.get('/wrong', c => {
      c.var.session['map'] = new Map();
      return c.text('ok');
    });
    const response = await app.request('/');
    assert.deepEqual([response.status, await response.text()], [503, 'Service Unavailable\n']);
    assert.equal(response.headers.get('location'), null);
    const logged = t.mock.method(console, 'error', () => {});
    assert.equal((await app.request('/wrong')).status, 500);
    const [call] = logged.mock.calls;
    assert.equal((call?.arguments[0] as { code?: string } | undefined)?.code, 'ERR_DATA_NOT_JSON');
  });

  it('a store that cannot be read goes to onError too', async () => {
    const store = faultStore(memoryStore());
    const app = create().use(session({ secret, store }));
    app.get('/', c => {
      c.var.session.visits = 1;
      return c.text('ok');
    });
    app.onError((error, c) => c.text((error as Error & { code: string }).code, 418));
    const cookie = cookieOf(await app.request('/'));
    store.plan(({ operation }) => (operation === 'read' ? { kind: 'fail' } : null));
    const response = await app.request('/', { headers: { cookie } });
    assert.deepEqual([response.status, await response.text()], [418, 'ERR_STORE_FAILED']);
  });

  it('streamSSE and streamText: saved before the first byte, and what comes later before the last', async () => {
    for (const store of [memoryStore(), faultStore(memoryStore(), () => ({ kind: 'delay', time: 10 }))]) {
      const looked = gateway();
      const app = create().use(session({ secret, store }));
      app.get('/data', c => c.json(c.var.session.visits ?? 0));
      app.get('/sse', c => {
        const { session: present } = c.var;
        present.visits = 1;
        return streamSSE(c, async out => {
          await out.writeSSE({ data: 'first' });
          await looked.opened;
          present.visits = 2;
          await out.writeSSE({ data: 'last' });
        });
      });
      app.get('/start', c => {
        c.var.session['started'] = true;
        c.header('Set-Cookie', 'own=1');
        c.header('Vary', 'Accept');
        return streamText(c, async out => void (await out.write('x'.repeat(100_000))));
      });
      const served = await serve(getRequestListener(app.fetch));
      const client = new Client(served.url);
      const start = await client.get('/start');
      assert.deepEqual([start.body.length, start.headers.vary], [100_000, 'Accept, Cookie']);
      assert.deepEqual([...client.jar.keys()].sort(), ['own', 'session']);
      const seen: unknown[] = [];
      const onFirstByte = async () => {
        const { body } = await client.get('/data');
        seen.push(body);
        looked.open();
      };
      const { body } = await client.get('/sse', { onFirstByte: () => void onFirstByte() });
      assert.equal(body, 'data: first\n\ndata: last\n\n');
      seen.push((await client.get('/data')).body);
      assert.deepEqual(seen, ['1', '2']);
      await served.close();
    }
  });

  it('compression before it and after it', async () => {
    for (const order of ['before', 'after']) {
      const both = [
        compress(),
        session({ secret, store: faultStore(memoryStore(), () => ({ kind: 'delay', time: 5 })) }),
      ];
      const app = create().use(...(order === 'before' ? both : both.reverse()));
      app.get('/', c => {
        c.var.session.visits = (c.var.session.visits ?? 0) + 1;
        return c.text('madeleine '.repeat(3000));
      });
      const served = await serve(getRequestListener(app.fetch));
      const client = new Client(served.url);
      const answer = await client.get('/', { headers: { 'accept-encoding': 'gzip' } });
      assert.deepEqual([answer.headers['content-encoding'], [...client.jar.keys()]], ['gzip', ['session']]);
      assert.equal((await client.get('/')).body, 'madeleine '.repeat(3000));
      await served.close();
    }
  });

  it('a handler that gives nothing back is Hono’s error, with a session as without', async () => {
    const app = create().use(session({ secret }));
    app.onError((error, c) => c.text(error.message, 500));
    app.get('/', c => {
      c.var.session.visits = 1;
      return undefined as unknown as Response;
    });
    // As on Deno and in Workers, and as @hono/node-server has it once it listens: it defines its own, as is done here.
    for (const value of [NativeResponse, Response]) {
      Object.defineProperty(globalThis, 'Response', { value });
      const answer = await app.request('/');
      assert.deepEqual([answer.status, answer.headers.getSetCookie()], [500, []]);
      assert.match(await answer.text(), /Context is not finalized/);
    }
  });

  // Hono hands errors to onError by itself, and lets whatever else is thrown go on.
  it('what is thrown and is no Error goes on, and the session is saved', async () => {
    const app = create().use(session({ secret }));
    app.get('/', c => {
      c.var.session.visits = (c.var.session.visits ?? 0) + 1;
      if (c.var.session.visits === 2) throw 'two';
      return c.json(c.var.session.visits);
    });
    const cookie = cookieOf(await app.request('/'));
    await assert.rejects(
      async () => app.request('/', { headers: { cookie } }),
      thrown => thrown === 'two',
    );
    assert.equal(await (await app.request('/', { headers: { cookie } })).json(), 3);
  });

  it('a guard before the session says which line to move', async () => {
    const app = create();
    app.onError((error, c) => c.text(error.message, 500));
    app.use(requireLogin()).use(session({ secret }));
    assert.match(await (await app.request('/')).text(), /Move session\(\) above the line .*hono-own\.test\.js:\d+:\d+/);
  });

  it('in sub-applications and on paths below itself it is the same session; two need two names', async () => {
    const remember = session({ secret });
    const admin = session<{ level: number }>({ secret, name: 'admin' });
    const below = create().use(remember).use(admin);
    below.get('/', c => {
      remember.of(c).visits = 1;
      admin.of(c).level = 7;
      return c.text('ok');
    });
    const app = create().use(remember).route('/below', below);
    const names = (await app.request('/below')).headers.getSetCookie().map(line => readSetCookie(line).name);
    assert.deepEqual(names.sort(), ['admin', 'session']);
    const twice = create().use(remember).use(session({ secret }));
    twice.onError((error, c) => c.text((error as Error & { code: string }).code));
    assert.equal(await (await twice.request('/')).text(), 'ERR_SESSION_NAME_TWICE');
  });

  it('https as the URL says, or a trusted proxy', async () => {
    const app = create().use(session({ secret, trustProxy: 1 }));
    app.get('/', c => {
      c.var.session.visits = 1;
      return c.text('ok');
    });
    assert.match(cookieOf(await app.request('https://app.example/')), /^__Host-session=/);
    const served = await serve(getRequestListener(app.fetch));
    const proxied = await request(served.url, { headers: { 'x-forwarded-proto': 'https' } });
    assert.match(proxied.setCookies.join(), /^__Host-session=/);
    await served.close();
  });
});
