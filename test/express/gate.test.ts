// No byte leaves before the save: every way of answering, with stores that answer at once, late, never, or with an error.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import type { Express, NextFunction, Request, Response } from 'express';
import { session } from 'madeleine/express';
import { memoryStore } from 'madeleine/memory';
import { faultStore } from 'madeleine/testing';
import { type Answer, Client, request } from '../support/client.ts';
import { EXPRESSES } from '../support/expresses.ts';
import { serve } from '../support/serve.ts';

const secret = 'a secret of more than thirty-two bytes';
const file = path.join(mkdtempSync(path.join(tmpdir(), 'madeleine-gate-')), 'page.txt');
const LONG = 'madeleine '.repeat(30_000);
writeFileSync(file, LONG);

/** Each way to answer; all put the same thing into the session first. */
const WAYS: Record<string, (req: Request, res: Response) => void> = {
  send: (_req, res) => void res.send('ok'),
  json: (_req, res) => void res.json({ ok: true }),
  redirect: (_req, res) => res.redirect('/read'),
  end: (_req, res) => void res.end(),
  'writeHead with an object': (_req, res) => void res.writeHead(201, { 'X-Mine': '1', 'Set-Cookie': 'own=1' }).end('x'),
  'writeHead with an array': (_req, res) => void res.writeHead(201, ['X-Mine', '1', 'Set-Cookie', 'own=1']).end('x'),
  'writeHead with a message': (_req, res) => void res.writeHead(201, 'Made', { 'X-Mine': '1' }).end('x'),
  sendFile: (_req, res) => res.sendFile(file),
  pipe: (_req, res) => void Readable.from(Array.from({ length: 300 }, () => 'x'.repeat(1000))).pipe(res),
  write: (_req, res) => {
    res.write('one');
    res.write('two', () => res.end('three'));
  },
  flushHeaders: (_req, res) => {
    res.flushHeaders();
    setImmediate(() => res.end('later'));
  },
  '304': (_req, res) => void res.status(304).end(),
  '204': (_req, res) => void res.sendStatus(204),
};

function build(
  express: (typeof EXPRESSES)[number]['express'],
  store = memoryStore() as Parameters<typeof session>[0]['store'],
): Express {
  const app = express();
  app.use(session({ secret, ...(store ? { store } : {}), storeTimeout: 150 }));
  app.get('/read', (req, res) => {
    res.json({ visits: req.session.visits ?? 0 });
  });
  for (const [name, answer] of Object.entries(WAYS)) {
    app.get(`/${encodeURIComponent(name)}`, (req, res) => {
      req.session.visits = (req.session.visits ?? 0) + 1;
      answer(req, res);
    });
  }
  app.use((error: { status?: number; code?: string }, _req: Request, res: Response, next: NextFunction) => {
    if (res.headersSent) return next(error);
    res.status(error.status ?? 500).json({ code: error.code });
  });
  return app;
}

const visits = async (client: Client): Promise<unknown> => (await client.get('/read')).json()['visits'];

for (const { name, express } of EXPRESSES) {
  for (const speed of ['at once', 'after 20 ms'] as const) {
    describe(`${name}, a store that answers ${speed}`, () => {
      const delayed = () => faultStore(memoryStore(), () => (speed === 'at once' ? null : { kind: 'delay', time: 20 }));

      for (const way of Object.keys(WAYS)) {
        it(`${way}: the next request sees the write`, async () => {
          const served = await serve(build(express, delayed()));
          const client = new Client(served.url);
          for (let round = 1; round <= 3; round++) {
            await client.get(`/${encodeURIComponent(way)}`);
            assert.equal(await visits(client), round);
          }
          await served.close();
        });

        it(`${way}: what the client gets is what a bare Express sends, save our fields`, async () => {
          const bare = express();
          bare.get('/:way', (req, res) => WAYS[req.params['way'] as string]?.(req, res));
          const servers = [await serve(bare), await serve(build(express, delayed()))];
          const [expected, actual] = (await Promise.all(
            servers.map(({ url }) => request(`${url}/${encodeURIComponent(way)}`)),
          )) as [Answer, Answer];
          await Promise.all(servers.map(server => server.close()));
          assert.equal(actual.status, expected.status);
          assert.equal(actual.body, expected.body);
          const comparable = ({ headers }: Answer) => {
            const { date: _d, vary: _v, 'cache-control': _c, 'set-cookie': _s, ...rest } = headers;
            return rest;
          };
          assert.deepEqual(comparable(actual), comparable(expected));
          assert.deepEqual(
            actual.setCookies.filter(line => !line.startsWith('session=')),
            expected.setCookies,
          );
          assert.equal(actual.setCookies.length, expected.setCookies.length + 1);
        });
      }

      it('HEAD and Connection: close', async () => {
        const served = await serve(build(express, delayed()));
        const client = new Client(served.url);
        const head = await client.send('HEAD', '/send');
        assert.equal(head.status, 200);
        assert.equal(head.body, '');
        const closing = await client.get('/send', { headers: { connection: 'close' } });
        assert.equal(closing.headers.connection, 'close');
        assert.equal(await visits(client), 2);
        await served.close();
      });

      it('what changes after the head has left is saved before the last byte', async () => {
        const app = express();
        app.use(session({ secret, store: delayed() }));
        app.get('/', (req, res) => {
          req.session.visits = 1;
          res.write('first');
          setTimeout(() => {
            req.session.visits = 2;
            res.end('last');
          }, 50);
        });
        app.get('/read', (req, res) => void res.json({ visits: req.session.visits }));
        const served = await serve(app);
        const client = new Client(served.url);
        await client.get('/');
        assert.equal(await visits(client), 2);
        await served.close();
      });
    });
  }

  describe(`${name}, a store that fails`, () => {
    for (const kind of ['fail', 'hang', 'drop'] as const) {
      for (const way of Object.keys(WAYS)) {
        it(`${kind} at save, ${way}: a clean 503, no success, no cookie`, async () => {
          const store = faultStore(memoryStore(), ({ operation }) => (operation === 'create' ? { kind } : null));
          const served = await serve(build(express, store));
          const answer = await request(`${served.url}/${encodeURIComponent(way)}`);
          assert.equal(answer.status, 503);
          assert.deepEqual(answer.setCookies, []);
          assert.equal(answer.headers.location, undefined);
          assert.match(answer.body, /ERR_STORE_(FAILED|TIMEOUT)|Service Unavailable/);
          await served.close();
        });
      }
    }

    it('a synchronous store that throws at save: a clean 503', async () => {
      const store = memoryStore();
      store.create = () => {
        throw new Error('disk full');
      };
      const served = await serve(build(express, store));
      for (const way of Object.keys(WAYS)) {
        const answer = await request(`${served.url}/${encodeURIComponent(way)}`);
        assert.equal(answer.status, 503, way);
        assert.deepEqual(answer.setCookies, []);
      }
      await served.close();
    });

    for (const kind of ['fail', 'hang'] as const) {
      it(`${kind} at read: a clean 503 in bounded time, and it recovers by itself`, async () => {
        const store = faultStore(memoryStore());
        const served = await serve(build(express, store));
        const client = new Client(served.url);
        await client.get('/send');
        store.plan(({ operation }) => (operation === 'read' ? { kind } : null));
        const answer = await client.get('/read');
        assert.equal(answer.status, 503);
        assert.equal(answer.json()['code'], kind === 'fail' ? 'ERR_STORE_FAILED' : 'ERR_STORE_TIMEOUT');
        store.plan(() => null);
        assert.equal(await visits(client), 1);
        await served.close();
      });
    }
  });

  describe(`${name}, what handlers see`, () => {
    it('an error thrown, rejected or given to next() reaches the error handler, and the session is kept', async () => {
      const app = express();
      app.use(session({ secret }));
      app.get('/throw', req => {
        req.session.visits = 1;
        throw new Error('thrown');
      });
      app.get('/next', (req, _res, next) => {
        req.session.visits = 2;
        next(new Error('given'));
      });
      app.get('/read', (req, res) => void res.json({ visits: req.session.visits }));
      app.use(
        (error: Error, _req: Request, res: Response, _next: NextFunction) => void res.status(500).send(error.message),
      );
      const served = await serve(app);
      const client = new Client(served.url);
      assert.equal((await client.get('/throw')).body, 'thrown');
      assert.equal(await visits(client), 1);
      assert.equal((await client.get('/next')).body, 'given');
      assert.equal(await visits(client), 2);
      await served.close();
    });

    it('Set-Cookie lines given to writeHead in any form live beside ours and those set before', async () => {
      const app = express();
      app.use(session({ secret }));
      app.get('/:form', (req, res) => {
        req.session.visits = 1;
        res.cookie('before', '1');
        const forms = {
          object: { 'Set-Cookie': ['a=1', 'b=2'] },
          list: ['Set-Cookie', 'a=1', 'set-cookie', 'b=2'],
        };
        res.writeHead(200, forms[req.params['form'] as 'object' | 'list']).end();
      });
      const served = await serve(app);
      for (const form of ['object', 'list']) {
        const names = (await request(`${served.url}/${form}`)).setCookies.map(line => line.split('=')[0]);
        assert.deepEqual(names.sort(), ['a', 'b', 'before', 'session']);
      }
      await served.close();
    });

    it('while the head is held it counts as sent: headersSent is true, fields are refused, a second end does nothing', async () => {
      const seen: unknown[] = [];
      const app = express();
      app.use(session({ secret, store: faultStore(memoryStore(), () => ({ kind: 'delay', time: 20 })) }));
      app.get('/', (req, res) => {
        req.session.visits = 1;
        res.send('first');
        seen.push(res.headersSent, res.writableEnded);
        assert.throws(() => res.setHeader('X-Late', '1'), { code: 'ERR_HTTP_HEADERS_SENT' });
        assert.throws(() => res.send('second'), { code: 'ERR_HTTP_HEADERS_SENT' });
        res.end('third');
      });
      const served = await serve(app);
      const answer = await request(served.url);
      assert.deepEqual(seen, [true, true]);
      assert.equal(answer.status, 200);
      assert.equal(answer.body, 'first');
      assert.equal(answer.headers['x-late'], undefined);
      await served.close();
    });

    it('write() answers false while holding and drain follows; a handler that ignores it meets the cap', async () => {
      const app = express();
      const store = faultStore(memoryStore(), () => ({ kind: 'delay', time: 50 }));
      app.use(session({ secret, store }));
      app.get('/polite', (req, res) => {
        req.session.visits = 1;
        assert.equal(res.write('x'), false);
        res.once('drain', () => res.end('y'));
      });
      app.get('/greedy', (req, res) => {
        req.session.visits = 1;
        const chunk = Buffer.alloc(1024 * 1024);
        for (let i = 0; i < 40; i++) res.write(chunk);
        res.end();
      });
      const served = await serve(app);
      assert.equal((await request(`${served.url}/polite`)).body, 'xy');
      const greedy = await request(`${served.url}/greedy`);
      assert.equal(greedy.status, 500);
      assert.ok(greedy.body.length < 100);
      await served.close();
    });

    it('a client that goes away does not take its write with it', async () => {
      const store = memoryStore();
      const app = build(express, store);
      const arrived = new Promise<Request>(resolve => {
        app.get('/slow', req => {
          req.session.visits = 7;
          resolve(req);
        });
      });
      const served = await serve(app);
      const client = new Client(served.url);
      await client.get('/send');
      const gone = http.get(`${served.url}/slow`, { headers: { cookie: client.cookieHeader() } });
      gone.on('error', () => {});
      const req = await arrived;
      const closed = once(req.res as Response, 'close');
      gone.destroy();
      await closed;
      assert.equal(await visits(client), 7);
      await served.close();
    });

    it('a request that never finishes its body is served and saved', async () => {
      const app = build(express);
      app.post('/early', (req, res) => {
        req.session.visits = 5;
        res.send('early');
      });
      const served = await serve(app);
      const socket = net.connect(served.port, '127.0.0.1');
      socket.write('POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nonly this');
      const [chunk] = await once(socket, 'data');
      const cookie = /session=[^;]+/.exec(String(chunk))?.[0] as string;
      socket.destroy();
      const read = await request(`${served.url}/read`, { headers: { cookie } });
      assert.deepEqual(read.json(), { visits: 5 });
      await served.close();
    });
  });
}
