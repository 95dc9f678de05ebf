// What of the gate is Express's alone, or HTTP/1.1's; the rest is in the suite for adapters (test/adapters/express.test.ts).
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';
import { describe, it } from 'node:test';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { session } from 'madeleine/express';
import { memoryStore } from 'madeleine/memory';
import { faultStore } from 'madeleine/testing';
import { Client, request } from '../support/client.ts';
import { EXPRESSES } from '../support/expresses.ts';
import { serve } from '../support/serve.ts';

const compression = createRequire(import.meta.url)('compression') as () => RequestHandler;
const secret = 'a secret of more than thirty-two bytes';
const LONG = 'madeleine '.repeat(3000);
const slow = () => faultStore(memoryStore(), () => ({ kind: 'delay', time: 20 }));
const broken = (time: number) =>
  faultStore(memoryStore(), ({ operation }) => (operation === 'create' ? { kind: 'fail' } : { kind: 'delay', time }));

for (const { name, express } of EXPRESSES) {
  const answerCode = (error: { status?: number; code?: string }, _req: Request, res: Response, _next: NextFunction) =>
    void res.status(error.status ?? 500).json({ code: error.code });
  const visit: RequestHandler = (req, _res, next) => {
    req.session.visits = (req.session.visits ?? 0) + 1;
    next();
  };

  describe(`${name}, with compression`, () => {
    for (const order of ['before', 'after'] as const) {
      const build = (store: Parameters<typeof session>[0]['store']) => {
        const app = express();
        const both = [compression(), session({ secret, ...(store ? { store } : {}) })];
        app.use(...(order === 'before' ? both : both.reverse()), visit);
        app.get('/send', (_req, res) => void res.send(LONG));
        app.get('/stream', (_req, res) => {
          res.type('text');
          for (let i = 0; i < 10; i++) res.write(LONG);
          res.end();
        });
        app.get('/data', (req, res) => void res.json(req.session));
        app.use(answerCode);
        return app;
      };
      const fetched = async (url: string) => {
        const answer = await fetch(url, { headers: { 'accept-encoding': 'gzip' } });
        return { answer, body: await answer.text() };
      };

      it(`${order} the session: saved and whole from the first response on`, async () => {
        for (const store of [memoryStore(), slow()]) {
          const served = await serve(build(store));
          for (const [path, expected] of [
            ['/send', LONG],
            ['/stream', LONG.repeat(10)],
          ]) {
            const { answer, body } = await fetched(served.url + path);
            assert.equal(answer.headers.get('content-encoding'), 'gzip');
            assert.equal(body, expected);
            const [cookie = ''] = answer.headers.getSetCookie();
            const read = await request(`${served.url}/data`, { headers: { cookie: cookie.split(';')[0] } });
            assert.deepEqual(read.json(), { visits: 2 });
          }
          await served.close();
        }
      });

      it(`${order} the session: a save that fails is answered, uncompressed`, async () => {
        for (const time of [0, 20]) {
          for (const path of ['/send', '/stream']) {
            const served = await serve(build(broken(time)));
            for (let round = 0; round < 2; round++) {
              const { answer, body } = await fetched(served.url + path);
              assert.equal(answer.status, 503);
              assert.equal(answer.headers.get('content-encoding'), null);
              assert.match(body, /ERR_STORE_FAILED|Service Unavailable/);
            }
            await served.close();
          }
        }
      });
    }
  });

  describe(`${name}, errors`, () => {
    it('a save that fails reaches the error handler, also after writeHead() and end() with a synchronous store', async () => {
      const store = memoryStore();
      store.create = () => {
        throw new Error('disk full');
      };
      const app = express();
      app.use(session({ secret, store }), visit);
      app.get('/send', (_req, res) => void res.send('ok'));
      app.get('/head', (_req, res) => void res.writeHead(200).end('ok'));
      app.use(answerCode);
      const served = await serve(app);
      for (const path of ['/send', '/head']) {
        assert.deepEqual((await request(served.url + path)).json(), { code: 'ERR_STORE_FAILED' });
      }
      await served.close();
    });

    it('in the error handler of a save that failed, save() keeps what it changed, and a login says that its cookie reaches nobody', async () => {
      for (const open of [memoryStore, slow]) {
        const app = express();
        app.use(session({ secret, store: open(), maxDataSize: 1000 }));
        app.get('/visit', visit, (_req, res) => void res.send('ok'));
        app.get('/data', (req, res) => void res.json(req.session));
        app.get('/large', (req, res) => {
          req.session.theme = LONG;
          res.redirect('/data');
        });
        app.use(async (error: { code: string }, req: Request, res: Response, _next: NextFunction) => {
          assert.equal(error.code, 'ERR_DATA_TOO_LARGE');
          req.session.theme = 'too long';
          const saved = await req.session.save().catch(failure => failure.code);
          const loggedIn = await req.session.login('u1').catch(failure => failure.code);
          res.status(400).send([saved, loggedIn]);
        });
        const served = await serve(app);
        const client = new Client(served.url);
        assert.deepEqual((await client.get('/large')).json<unknown>(), ['ERR_HEADERS_SENT', 'ERR_HEADERS_SENT']);
        await client.get('/visit');
        assert.deepEqual((await client.get('/large')).json<unknown>(), [null, 'ERR_HEADERS_SENT']);
        assert.deepEqual((await client.get('/data')).json(), { visits: 1, theme: 'too long' });
        await served.close();
      }
    });

    it('an error given to next() reaches the error handler, and the session is kept', async () => {
      const app = express();
      app.use(session({ secret }));
      app.get('/next', visit, (_req, _res, next) => next(new Error('given')));
      app.get('/data', (req, res) => void res.json(req.session));
      app.use(
        (error: Error, _req: Request, res: Response, _next: NextFunction) => void res.status(500).send(error.message),
      );
      const served = await serve(app);
      const client = new Client(served.url);
      assert.equal((await client.get('/next')).body, 'given');
      assert.deepEqual((await client.get('/data')).json(), { visits: 1 });
      await served.close();
    });

    it('a write that Node refuses after the first of those that were held breaks the response off, and the event tells', async () => {
      const app = express();
      const remember = session({ secret, store: slow() });
      app.use(remember, visit);
      app.get('/', (_req, res) => {
        res.write('first');
        res.write(7 as never);
        res.end();
      });
      const served = await serve(app);
      const failed = new Promise<{ error: unknown }>(resolve => remember.sessions.on('failed', resolve));
      await assert.rejects(request(served.url), { code: 'ECONNRESET' });
      assert.equal(((await failed).error as { code: string }).code, 'ERR_INVALID_ARG_TYPE');
      await served.close();
    });

    it('a handler that goes on writing after its session could not be saved hears that each chunk is done with', async () => {
      const app = express();
      const remember = session({ secret, store: broken(0) });
      app.use(remember, visit);
      const done = new Promise<void>(resolve => {
        app.get('/', (_req, res) => {
          remember.sessions.on('failed', () => res.write('second', () => res.end('last', resolve)));
          res.write('first');
        });
      });
      const served = await serve(app);
      assert.equal((await request(served.url)).body, 'Service Unavailable\n');
      await done;
      await served.close();
    });

    it('a second send() while the head is held is refused as Express refuses it', async () => {
      const app = express();
      app.use(session({ secret, store: slow() }), visit);
      app.get('/', (_req, res) => {
        res.send('first');
        assert.throws(() => res.send('second'), { code: 'ERR_HTTP_HEADERS_SENT' });
      });
      const served = await serve(app);
      assert.equal((await request(served.url)).body, 'first');
      await served.close();
    });

    it("what asks before a response leaves is put on Express's responses once, not again with each", async () => {
      const app = express();
      app.use(session({ secret, store: slow() }), visit);
      let own: string[] = [];
      app.get('/', (_req, res) => {
        own = ['writeHead', 'flushHeaders', 'write', 'end', 'setHeader'].filter(name => Object.hasOwn(res, name));
        res.send('ok');
      });
      const served = await serve(app);
      const look = () => Object.getOwnPropertyDescriptors(express.response);
      await request(served.url);
      const first = look();
      await request(served.url);
      assert.deepEqual(look(), first);
      assert.deepEqual(own, []);
      await served.close();
    });
  });

  describe(`${name}, below what has sent the head already`, () => {
    for (const open of [memoryStore, slow]) {
      const build = () => {
        const remember = session({ secret, store: open() });
        const app = express();
        const answerData: RequestHandler = (req, res) => void res.json(req.session);
        app.get(['/begin', '/data'], remember, (req, _res, next) =>
          req.path === '/begin' ? visit(req, _res, next) : next(),
        );
        app.get(['/begin', '/data'], answerData);
        app.use((_req, res, next) => {
          res.flushHeaders();
          next();
        }, remember);
        app.get('/visit', visit, (req, res) => void res.end(String(req.session.visits)));
        app.get('/login', async (req, res) => {
          const refused = await req.session.login('u1').catch(error => error.code);
          res.end(String(refused));
        });
        return serve(app);
      };

      it(`a stored session is there, and a change is saved before the end (${open.name})`, async context => {
        const served = await build();
        context.after(served.close);
        const client = new Client(served.url);
        await client.get('/begin');
        assert.equal((await client.get('/visit')).body, '2');
        assert.deepEqual((await client.get('/data')).json(), { visits: 2 });
      });

      it(`none can be begun, and the response is whole; a login says that it came too late (${open.name})`, async context => {
        const served = await build();
        context.after(served.close);
        const client = new Client(served.url);
        const answer = await client.get('/visit');
        assert.deepEqual([answer.status, answer.body, answer.setCookies], [200, '1', []]);
        assert.equal((await client.get('/login')).body, 'ERR_HEADERS_SENT');
        await client.get('/begin');
        assert.equal((await client.get('/login')).body, 'ERR_HEADERS_SENT');
        assert.deepEqual((await client.get('/data')).json(), { visits: 1 });
      });
    }

    it('so for a second session that is opened below it', async context => {
      const [outer, inner] = [session({ secret }), session({ secret, name: 'inner' })];
      const app = express();
      app.use(outer, (_req, res, next) => void res.write('first ', () => next()), inner);
      app.get('/', async (req, res) => {
        const refused = await inner
          .of(req)
          .login('u1')
          .catch(error => error.code);
        res.end(String(refused));
      });
      const served = await serve(app);
      context.after(served.close);
      assert.equal((await request(served.url)).body, 'first ERR_HEADERS_SENT');
    });
  });

  describe(`${name}, HTTP/1.1`, () => {
    for (const open of [memoryStore, slow]) {
      it(`writeHead with a message, and Connection: close (${open.name})`, async () => {
        const app = express();
        app.use(session({ secret, store: open() }), visit);
        app.get('/', (_req, res) => void res.writeHead(201, 'Made', { 'X-Mine': '1' }).end('x'));
        const served = await serve(app);
        const socket = net.connect(served.port, '127.0.0.1');
        socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
        let text = '';
        for await (const chunk of socket) text += chunk;
        assert.match(text, /^HTTP\/1\.1 201 Made\r\n/);
        assert.match(text, /\r\nX-Mine: 1\r\n/);
        assert.match(text, /\r\nSet-Cookie: session=/);
        await served.close();
      });
    }

    it('Set-Cookie lines given to writeHead in any form live beside ours and those set before', async () => {
      const app = express();
      app.use(session({ secret }), visit);
      app.get('/:form', (req, res) => {
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

    it('a request that never finishes its body is served and saved', async () => {
      const app = express();
      app.use(session({ secret }), visit);
      app.post('/early', (_req, res) => void res.send('early'));
      app.get('/data', (req, res) => void res.json(req.session));
      const served = await serve(app);
      const socket = net.connect(served.port, '127.0.0.1');
      socket.write('POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nonly this');
      const [chunk] = await once(socket, 'data');
      const cookie = /session=[^;]+/.exec(String(chunk))?.[0] as string;
      socket.destroy();
      assert.deepEqual((await request(`${served.url}/data`, { headers: { cookie } })).json(), { visits: 2 });
      await served.close();
    });
  });
}
