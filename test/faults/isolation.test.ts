// What goes wrong with one response stays with it: nothing is saved behind its back, and the process lives on.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { session } from 'madeleine/express';
import { memoryStore } from 'madeleine/memory';
import { type Fault, faultStore } from 'madeleine/testing';
import { request } from '../support/client.ts';
import { EXPRESSES } from '../support/expresses.ts';
import { serveRoutes } from '../support/routes.ts';
import { serve } from '../support/serve.ts';
import { expectNoUnhandledRejections } from '../support/unhandled.ts';
import { warningsIn } from '../support/warnings.ts';

const secret = 'a secret of more than thirty-two bytes';

expectNoUnhandledRejections();

const slowly = () => faultStore(memoryStore(), () => ({ kind: 'delay', time: 10 }));

describe('a save that failed', () => {
  for (const way of ['ended', 'streaming'] as const) {
    it(`stays undone when the connection closes, the response ${way}`, async () => {
      const store = faultStore(memoryStore());
      const served = await serveRoutes(
        {
          '/data': (req, res) => void res.json({ ...req.session }),
          '/add': (req, res) => {
            req.session.cart = [...(req.session.cart ?? []), 'cake'];
            if (way === 'ended') return void res.end();
            res.write('first');
            setImmediate(() => res.end());
          },
        },
        { store },
      );
      const client = served.client();
      await client.get('/add');
      store.plan(({ operation }) => (operation === 'replace' ? { kind: 'fail' } : null));
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      const kept = () =>
        new Promise<http.IncomingMessage>((resolve, reject) => {
          const headers = { cookie: client.cookieHeader() };
          http.get(`${served.url}/add`, { agent, headers }, resolve).on('error', reject);
        });
      const first = await kept();
      const { socket } = first;
      assert.equal(first.statusCode, 503);
      first.resume();
      await once(first, 'end');
      store.plan(() => null);
      const calls = store.calls.length;
      const closed = once(socket, 'close');
      agent.destroy();
      await closed;
      assert.deepEqual((await client.get('/data')).json(), { cart: ['cake'] });
      assert.deepEqual(
        store.calls.slice(calls).map(({ operation }) => operation),
        ['read'],
      );
      await served.close();
    });
  }
});

describe('an error in place of a response', () => {
  for (const way of ['whole', 'in parts'] as const) {
    it(`told ${way}, has none of its trailers`, async () => {
      const app = EXPRESSES[1]?.express() as ReturnType<(typeof EXPRESSES)[number]['express']>;
      const store = faultStore(memoryStore(), () => ({ kind: 'fail' }));
      app.use(session({ secret, store }));
      app.get('/', (req, res) => {
        req.session.visits = 1;
        res.setHeader('Trailer', 'X-Sum');
        res.write('body');
        res.addTrailers({ 'X-Sum': '4' });
        res.end();
      });
      app.use((_error: unknown, _req: Request, res: Response, _next: NextFunction) => {
        res.writeHead(503, way === 'whole' ? { 'Content-Length': 5 } : {});
        if (way === 'in parts') res.write('');
        res.end('error');
      });
      const served = await serve(app);
      const { status, body, trailers } = await request(served.url);
      assert.deepEqual({ status, body, trailers }, { status: 503, body: 'error', trailers: {} });
      await served.close();
    });
  }
});

describe('what nobody awaits, and fails', () => {
  async function stage(handler: RequestHandler, fault: Fault = { kind: 'hang' }) {
    const store = faultStore(memoryStore(), ({ operation }) => (operation === 'delete' ? fault : null));
    const add: RequestHandler = (req, res) => {
      req.session.cart = ['plum'];
      res.end();
    };
    const served = await serveRoutes({ '/add': add, '/wish': handler }, { store, storeTimeout: 50 });
    const client = served.client();
    await client.get('/add');
    const failed: unknown[] = [];
    const heard = new Promise<void>(resolve => {
      served.remember.sessions.on('failed', ({ error }) => {
        failed.push((error as { code?: string }).code);
        resolve();
      });
    });
    return { served, client, failed, heard };
  }
  /** Long after what fails at once has failed. */
  const later = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 20));

  for (const [what, write, end] of [
    ['before the head', '', 'whole'],
    ['while the response is streaming', 'first', 'last'],
  ] as const) {
    it(`${what}: the response claims no success`, async () => {
      const { served, client, failed } = await stage((req, res) => {
        if (write) res.write(write);
        setImmediate(() => {
          void req.session.logout();
          res.end(end);
        });
      });
      if (write) await assert.rejects(client.get('/wish'));
      else assert.equal((await client.get('/wish')).status, 503);
      await served.close();
      assert.deepEqual(failed, write ? ['ERR_STORE_TIMEOUT'] : []);
    });

    it(`${what}, and it has failed long before the end: the same, and the process lives`, async () => {
      const { served, client, failed } = await stage(
        async (req, res) => {
          if (write) res.write(write);
          await later();
          void req.session.logout();
          await later();
          res.end(end);
        },
        { kind: 'fail' },
      );
      if (write) await assert.rejects(client.get('/wish'));
      else assert.equal((await client.get('/wish')).status, 503);
      await served.close();
      assert.deepEqual(failed, write ? ['ERR_STORE_FAILED'] : []);
    });
  }

  it('a handler that waits for it, also later, says itself what becomes of the response', async () => {
    const { served, client, failed } = await stage(
      async (req, res) => {
        const logout = req.session.logout();
        await later();
        await logout.catch(() => {});
        await req.session.logout().catch(() => {});
        req.session.logout(() => res.end('try again'));
      },
      { kind: 'fail' },
    );
    assert.equal((await client.get('/wish')).body, 'try again');
    await served.close();
    assert.deepEqual(failed, []);
  });

  it('after the response had ended: it is told, once', async () => {
    const { served, client, failed, heard } = await stage((req, res) => {
      res.end('whole');
      setImmediate(() => void req.session.logout());
    });
    assert.equal((await client.get('/wish')).body, 'whole');
    await heard;
    await served.close();
    assert.deepEqual(failed, ['ERR_STORE_TIMEOUT']);
  });
});

for (const { name, express } of EXPRESSES) {
  describe(`${name}: a handler that writes what Node refuses`, () => {
    const wrong: Record<string, (res: Response) => void> = {
      'a chunk that is none': res => void res.write(42 as unknown as string),
      'an end that is none': res => void res.end(42 as unknown as string),
      'a status that is none': res => void res.writeHead(99999).end(),
    };
    for (const [what, write] of Object.entries(wrong)) {
      // Bun has sent the head when it looks at a chunk (of end(): where anybody has put a writeHead() before its own, as each session
      // does). What is left is to break the response off, which Express does.
      const answered = 'bun' in process.versions && !what.includes('status') ? 'ECONNRESET' : 500;
      for (const store of [memoryStore, slowly]) {
        it(`${what}, ${store.name}: an error of that request alone`, async () => {
          const app = express();
          app.use(session({ secret, store: store() }));
          app.get('/wrong', (req, res) => {
            req.session.visits = 1;
            write(res);
          });
          app.get('/right', (_req, res) => void res.end('right'));
          app.use((error: { code?: string }, _req: Request, res: Response, next: NextFunction) => {
            if (res.headersSent) return next(error);
            res.status(500).end(error.code);
          });
          const served = await serve(app);
          const answer = request(`${served.url}/wrong`).then(
            ({ status }) => status,
            error => error.code,
          );
          assert.equal(await answer, answered);
          assert.equal((await request(`${served.url}/right`)).body, 'right');
          await served.close();
        });
      }
    }
  });

  it(`${name}: two sessions on one request, of which one fails at once and the other later: one clean error`, async () => {
    const app = express();
    const failing = faultStore(memoryStore(), ({ operation }) => (operation === 'create' ? { kind: 'fail' } : null));
    const one = session({ secret, name: 'one', store: failing });
    const two = session({ secret, name: 'two' });
    app.use(one, two);
    app.get('/', (req, res) => {
      one.of(req).visits = 1;
      two.of(req)['when'] = new Date();
      res.end('saved');
    });
    app.use((_error: unknown, _req: Request, res: Response, _next: NextFunction) => void res.status(500).end('error'));
    const served = await serve(app);
    const answer = await request(served.url);
    assert.deepEqual([answer.status, answer.body, answer.setCookies], [500, 'error', []]);
    await served.close();
  });
}

describe('a client that goes away', () => {
  it('while its change is being saved: it is saved once', async () => {
    const store = slowly();
    const released: Array<() => void> = [];
    const served = await serveRoutes(
      {
        '/data': (req, res) => void res.json({ ...req.session }),
        '/add/:item': (req, res) => {
          req.session.cart = [...(req.session.cart ?? []), req.params['item'] as string];
          res.end();
        },
        '/slow': async (req, res) => {
          void req.session;
          await new Promise<void>(resolve => released.push(resolve));
          req.session.cart = [...(req.session.cart ?? []), 'cake'];
          res.end();
        },
      },
      { store },
    );
    const client = served.client();
    await client.get('/add/plum');
    const gone = http.get(`${served.url}/slow`, { headers: { cookie: client.cookieHeader() } });
    gone.on('error', () => {});
    while (released.length === 0) await new Promise(resolve => setImmediate(resolve));
    await client.get('/add/nut');
    const saving = new Promise<void>(resolve => {
      store.plan(({ operation }) => {
        if (operation === 'replace') resolve();
        return { kind: 'delay', time: 30 };
      });
    });
    released[0]?.();
    await saving;
    gone.destroy();
    const cartOf = async () => (await client.get('/data')).json<{ cart: string[] }>().cart;
    while ((await cartOf()).length < 3);
    // Whatever was still to be saved has had its time: a change of another key goes through the same line.
    await client.get('/add/last');
    assert.deepEqual(await cartOf(), ['plum', 'nut', 'cake', 'last']);
    await served.close();
  });

  it('before a session was begun for it: nothing is kept, and nobody is warned', async context => {
    const store = memoryStore();
    const warnings = warningsIn(context);
    const app = EXPRESSES[1]?.express() as ReturnType<(typeof EXPRESSES)[number]['express']>;
    app.use(session({ secret, store }));
    const handled = new Promise<Response>(resolve => {
      app.get('/', (req, res) => {
        req.session.visits = 1;
        resolve(res);
      });
    });
    const server = http.createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const gone = http.get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
    gone.on('error', () => {});
    const closed = once(await handled, 'close');
    gone.destroy();
    await closed;
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(store.admin.count(0), 0);
    assert.deepEqual(warnings, []);
    server.close();
  });
});

it('a listener that throws, at once or later, disturbs neither the request nor other listeners', async context => {
  const remember = session({ secret });
  const heard: string[] = [];
  remember.sessions.on('created', () => {
    throw new Error('at once');
  });
  remember.sessions.on('created', async () => {
    throw new Error('later');
  });
  remember.sessions.on('created', ({ tag }) => heard.push(tag));
  const warnings = warningsIn(context);
  const { express } = EXPRESSES[1] as (typeof EXPRESSES)[number];
  const app = express();
  app.use(remember);
  app.get('/', (req, res) => {
    req.session.cart = ['plum'];
    res.send('kept');
  });
  const served = await serve(app);
  assert.equal((await request(`${served.url}/`)).body, 'kept');
  await served.close();
  assert.equal(heard.length, 1);
  for (const when of ['at once', 'later'])
    assert.equal(warnings.filter(({ message }) => message.endsWith(when)).length, 1, when);
});
