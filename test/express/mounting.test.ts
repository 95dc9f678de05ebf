// Where session() stands in an app, what it adds to a response, and what proxies and https change.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import https from 'node:https';
import { describe, it } from 'node:test';
import type { Express, NextFunction, Request, Response } from 'express';
import { cookies, session } from 'madeleine/express';
import { cert, key } from '../support/certificate.ts';
import { Client, request } from '../support/client.ts';
import { EXPRESSES } from '../support/expresses.ts';
import { serve, serveOn } from '../support/serve.ts';

const secret = 'a secret of more than thirty-two bytes';

async function withServer(app: Express, use: (client: Client, url: string) => Promise<void>): Promise<void> {
  const served = await serve(app);
  try {
    await use(new Client(served.url), served.url);
  } finally {
    await served.close();
  }
}

function count(req: Request, res: Response): void {
  req.session.visits = (req.session.visits ?? 0) + 1;
  res.json({ visits: req.session.visits });
}

it('a server without Express, whose requests have no req.secure: over https the cookie is Secure and __Host- none the less', async () => {
  const remember = session({ secret });
  const server = https.createServer({ key, cert }, (req, res) => {
    remember(req, res, () => {
      remember.of(req)['visits'] = 1;
      res.end();
    });
  });
  const served = await serveOn(server, 'https');
  const [answer] = await once(https.get(served.url, { agent: false, rejectUnauthorized: false }), 'response');
  assert.match(answer.headers['set-cookie'].join(), /^__Host-session=[^;]+; Path=\/; Secure; HttpOnly/);
  answer.resume();
  await served.close();
});

for (const { name, express } of EXPRESSES) {
  describe(`${name}: mounting`, () => {
    it('the same middleware twice opens one session', async () => {
      const app = express();
      const remember = session({ secret });
      app.use(remember);
      app.use('/deep', remember);
      app.get('/deep/count', count);
      await withServer(app, async client => {
        const first = await client.get('/deep/count');
        assert.equal(first.setCookies.length, 1);
        assert.equal((await client.get('/deep/count')).body, '{"visits":2}');
      });
    });

    it('on a sub-path, only requests below it have a session', async () => {
      const app = express();
      app.use('/shop', session({ secret }));
      app.get('/shop/count', count);
      app.get('/outside', (req, res) => void res.json({ session: typeof req.session }));
      await withServer(app, async client => {
        await client.get('/shop/count');
        assert.equal((await client.get('/shop/count')).body, '{"visits":2}');
        assert.equal((await client.get('/outside')).body, '{"session":"undefined"}');
      });
    });

    it('two sessions in one app: the inner one is req.session, both are kept, of() reaches each', async () => {
      const app = express();
      const visitor = session({ secret, name: 'visitor' });
      const admin = session({ secret, name: 'admin' });
      app.use(visitor);
      app.use('/admin', admin);
      app.get('/admin/count', (req, res) => {
        req.session.visits = (req.session.visits ?? 0) + 1;
        visitor.of(req).visits = (visitor.of(req).visits ?? 0) + 10;
        res.json({ admin: admin.of(req).visits, visitor: visitor.of(req).visits });
      });
      app.get('/count', count);
      await withServer(app, async client => {
        const first = await client.get('/admin/count');
        assert.equal(first.setCookies.length, 2);
        assert.equal((await client.get('/admin/count')).body, '{"admin":2,"visitor":20}');
        assert.equal((await client.get('/count')).body, '{"visits":21}');
      });
    });

    it('two sessions with one cookie name are refused, and of() without a session says so', async () => {
      const app = express();
      const other = session({ secret });
      app.use('/of', req => void other.of(req));
      app.use(session({ secret }), other);
      app.use(
        (error: { code: string }, _req: Request, res: Response, _next: NextFunction) => void res.send(error.code),
      );
      await withServer(app, async client => {
        assert.equal((await client.get('/')).body, 'ERR_SESSION_NAME_TWICE');
        assert.equal((await client.get('/of')).body, 'ERR_SESSION_MISSING');
      });
    });

    it('stands beside cookies() and other Set-Cookie lines, in either order', async () => {
      for (const order of [
        [cookies('keyboard cat'), session({ secret })],
        [session({ secret }), cookies('keyboard cat')],
      ]) {
        const app = express();
        app.use(...order);
        app.get('/', (req, res) => {
          res.cookie('a', '1', { signed: true }).cookie('b', '2');
          count(req, res);
        });
        app.get('/read', (req, res) => {
          res.json({ a: req.signedCookies['a'], b: req.cookies['b'], visits: req.session.visits });
        });
        await withServer(app, async client => {
          assert.equal((await client.get('/')).setCookies.length, 3);
          assert.deepEqual((await client.get('/read')).json(), { a: '1', b: '2', visits: 1 });
        });
      }
    });

    it('req.session cannot be assigned to', async () => {
      const app = express();
      app.use(session({ secret }));
      app.get('/', (req, res) => {
        assert.throws(() => Object.assign(req, { session: null }), { code: 'ERR_DATA_KEY' });
        res.send('refused');
      });
      await withServer(app, async client => assert.equal((await client.get('/')).body, 'refused'));
    });
  });

  describe(`${name}: https and proxies`, () => {
    const build = (trust: boolean, options: Partial<Parameters<typeof session>[0]> = {}): Express => {
      const app = express();
      if (trust) app.set('trust proxy', 1);
      app.use(session({ secret, ...options }));
      app.get('/', count);
      return app;
    };
    const https = { headers: { 'x-forwarded-proto': 'https' } };

    it('behind a trusted proxy the cookie is Secure and __Host-', async () => {
      await withServer(build(true), async client => {
        const [line] = (await client.get('/', https)).setCookies;
        assert.match(line ?? '', /^__Host-session=[^;]+; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
        assert.equal((await client.get('/', https)).body, '{"visits":2}');
      });
    });

    it('https and the address are as the application tells where session() stands, whichever answers', async () => {
      for (const other of EXPRESSES) {
        const app = express();
        app.set('trust proxy', 1);
        const remember = session({ secret });
        app.use(remember);
        const own = other.express();
        own.set('trust proxy', false);
        own.get('/own/', count);
        const called = other.express().use(remember).get('/', count);
        called.post('/login', async (req, res) => {
          await req.session.login('u1');
          res.end();
        });
        // As vhost calls it. It trusts no proxy, as nobody told it to; nor does the one that is mounted.
        app.use(own, (req, res, next) => called(req, res, next));
        const headers = { ...https.headers, 'x-forwarded-for': '192.0.2.1' };
        await withServer(app, async client => {
          for (const path of ['/', '/own/']) {
            client.jar.clear();
            const first = await client.get(path, { headers });
            assert.match(first.setCookies.join(), /^__Host-session=[^;]+; Path=\/; Secure/, path);
            assert.deepEqual((await client.get(path, { headers })).json(), { visits: 2 }, path);
          }
          await client.send('POST', '/login', { headers });
          const [listed] = await remember.sessions.list('u1');
          assert.equal(listed?.device?.address, '192.0.2.1');
        });
      }
    });

    it('a domain or a path costs the __Host- prefix, not Secure', async () => {
      await withServer(build(true, { cookie: { path: '/shop' } }), async client => {
        assert.match((await client.get('/', https)).setCookies.join(), /^__Secure-session=[^;]+; Path=\/shop; Secure/);
      });
    });

    it('an untrusted X-Forwarded-Proto changes nothing', async () => {
      await withServer(build(false), async client => {
        assert.match((await client.get('/', https)).setCookies.join(), /^session=[^;]+; Path=\/; HttpOnly/);
      });
    });

    it('with __Host- the bare name is no fallback', async () => {
      await withServer(build(true), async (client, url) => {
        await client.get('/', https);
        const value = client.jar.get('__Host-session') as string;
        const answer = await request(url, { headers: { ...https.headers, cookie: `session=${value}` } });
        assert.equal(answer.body, '{"visits":1}');
      });
    });

    it('secure: true over plain http sets no session cookie', async () => {
      await withServer(build(false, { cookie: { secure: true } }), async client => {
        assert.deepEqual((await client.get('/')).setCookies, []);
      });
    });
  });

  describe(`${name}: flash messages`, () => {
    it('are kept for the next page, by type, and gone once taken', async () => {
      const app = express();
      app.use(session({ secret }));
      app.get('/keep', (req, res) => {
        const counts = [
          req.flash('info', 'Saved.'),
          req.flash('info', 'Twice %s', 'saved'),
          req.flash('error', ['a', 'b']),
        ];
        res.json(counts);
      });
      app.get('/info', (req, res) => void res.json(req.flash('info')));
      app.get('/all', (req, res) => void res.json(req.flash()));
      await withServer(app, async client => {
        assert.equal((await client.get('/keep')).body, '[1,2,2]');
        assert.equal((await client.get('/info')).body, '["Saved.","Twice saved"]');
        assert.equal((await client.get('/info')).body, '[]');
        assert.equal((await client.get('/all')).body, '{"error":["a","b"]}');
        assert.equal((await client.get('/all')).body, '{}');
      });
    });

    it('are not looked for in what is none', async () => {
      const app = express();
      app.use(session({ secret }));
      app.get('/', (req, res) => {
        for (const kept of ['', 'text', 5, { info: 'text' }]) {
          Object.assign(req.session, { flash: kept });
          assert.throws(() => req.flash('info', 'Saved.'), { code: 'ERR_DATA_KEY' });
        }
        res.end();
      });
      await withServer(app, async client => assert.equal((await client.get('/')).status, 200));
    });

    it('looking for messages that are not there stores nothing', async () => {
      const app = express();
      app.use(session({ secret }));
      app.get('/', (req, res) => void res.json([req.flash('info'), req.flash()]));
      await withServer(app, async client => assert.deepEqual((await client.get('/')).setCookies, []));
    });
  });
}
