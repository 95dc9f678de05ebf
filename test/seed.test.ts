// What the project's user asked for, line by line, over real HTTP, on Express 4 and 5.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import { cookieParser, session } from 'madeleine/express';
import { memoryStore } from 'madeleine/memory';
import { createTestClock } from 'madeleine/testing';
import { Client, request } from './support/client.ts';
import { EXPRESSES } from './support/expresses.ts';
import { type Served, serve } from './support/serve.ts';

const require = createRequire(import.meta.url);

it('the two Expresses really are two', () => {
  assert.match(require('express4/package.json').version, /^4\./);
  assert.match(require('express/package.json').version, /^5\./);
});

for (const { name, express } of EXPRESSES) {
  describe(`${name}: cookies`, () => {
    let plain: Served;
    let signed: Served;

    before(async () => {
      const app = express();
      app.use(cookieParser());
      app.get('/set', (_req, res) => {
        res.cookie('username', 'shree').send('ok');
      });
      app.get('/read', (req, res) => {
        res.json(req.cookies);
      });
      plain = await serve(app);

      const secretApp = express();
      secretApp.use(cookieParser('secretKey'));
      secretApp.get('/set', (_req, res) => {
        res.cookie('username', 'shree', { signed: true }).send('ok');
      });
      secretApp.get('/read', (req, res) => {
        res.json({ cookies: req.cookies, signedCookies: req.signedCookies });
      });
      signed = await serve(secretApp);
    });
    after(async () => {
      await plain.close();
      await signed.close();
    });

    it("res.cookie('username', 'shree') arrives and comes back", async () => {
      const client = new Client(plain.url);
      const set = await client.get('/set');
      assert.deepEqual(set.setCookies, ['username=shree; Path=/']);
      assert.deepEqual((await client.get('/read')).json(), { username: 'shree' });
    });

    it("a raw 'Cookie: username=shree' is { username: 'shree' } in req.cookies", async () => {
      const answer = await request(`${plain.url}/read`, { headers: { cookie: 'username=shree' } });
      assert.deepEqual(answer.json(), { username: 'shree' });
    });

    it('with a secret, the signed cookie arrives in req.signedCookies', async () => {
      const client = new Client(signed.url);
      const [line] = (await client.get('/set')).setCookies;
      assert.match(line ?? '', /^username=s%3Ashree\./);
      assert.deepEqual((await client.get('/read')).json(), { cookies: {}, signedCookies: { username: 'shree' } });
    });

    it('a tampered one does not', async () => {
      const client = new Client(signed.url);
      await client.get('/set');
      client.jar.set('username', (client.jar.get('username') as string).replace('shree', 'admin'));
      assert.deepEqual((await client.get('/read')).json(), { cookies: {}, signedCookies: { username: false } });
    });
  });

  describe(`${name}: session({ secret: 'secretkey' }) with nothing else`, () => {
    let served: Served;

    before(async () => {
      const app = express();
      app.use(session({ secret: 'secretkey' }));
      app.get('/in', (req, res) => {
        req.session.username = 'shree';
        res.send('ok');
      });
      app.get('/who', (req, res) => {
        res.json({ username: req.session.username ?? null, isNew: req.session.about.isNew });
      });
      served = await serve(app);
    });
    after(() => served.close());

    it("req.session.username = 'shree' is there at the next request, with no cookie parser", async () => {
      const client = new Client(served.url);
      await client.get('/in');
      assert.deepEqual((await client.get('/who')).json(), { username: 'shree', isNew: false });
    });

    it('the id is unique', async () => {
      const ids = new Set<string>();
      for (let i = 0; i < 50; i++) {
        const client = new Client(served.url);
        await client.get('/in');
        ids.add(client.jar.get('session') ?? '');
      }
      assert.equal(ids.size, 50);
    });

    it('the data is on the server only', async () => {
      const answer = await request(`${served.url}/in`);
      const decoded = Buffer.from(answer.setCookies.join(), 'base64').toString('latin1');
      assert.ok(!JSON.stringify(answer).includes('shree'));
      assert.ok(!decoded.includes('shree'));
    });

    it('a visitor who stores nothing gets no cookie', async () => {
      assert.deepEqual((await request(`${served.url}/who`)).setCookies, []);
    });

    it('forged and unknown ids start clean, and look the same to the client', async () => {
      const client = new Client(served.url);
      await client.get('/in');
      const real = client.jar.get('session') as string;
      const flipped = real.slice(0, -1) + (real.endsWith('A') ? 'B' : 'A');
      const answers = [];
      for (const cookie of [flipped, 'nonsense', `${real}x`, real.split('.').slice(0, 2).join('.'), '']) {
        const { status, body, setCookies } = await request(`${served.url}/who`, {
          headers: { cookie: `session=${cookie}` },
        });
        answers.push(JSON.stringify({ status, body, setCookies }));
      }
      assert.deepEqual(
        [...new Set(answers)],
        [JSON.stringify({ status: 200, body: JSON.stringify({ username: null, isNew: true }), setCookies: [] })],
      );
    });
  });

  describe(`${name}: how long a cookie and its session live`, () => {
    it('a session cookie ends with the browser, a persistent one carries its lifetime', async () => {
      const persistent = express();
      persistent.use(
        session({ secret: 'secretkey', idle: '1h', clock: createTestClock(), cookie: { persistent: true } }),
      );
      persistent.use((req, res) => {
        req.session.visits = 1;
        res.end();
      });
      const brief = express();
      brief.use(session({ secret: 'secretkey' }));
      brief.use((req, res) => {
        req.session.visits = 1;
        res.end();
      });
      const servers = [await serve(brief), await serve(persistent)];
      const lines = await Promise.all(servers.map(async ({ url }) => (await request(url)).setCookies.join()));
      await Promise.all(servers.map(server => server.close()));
      assert.match(lines[0] as string, /^session=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/);
      assert.match(lines[1] as string, /^session=[^;]+;.* Max-Age=3600;/);
    });

    it('a persistent cookie lives on with its session, whether requests read or write', async () => {
      const clock = createTestClock();
      const app = express();
      app.use(session({ secret: 'secretkey', idle: '1h', clock, cookie: { persistent: true } }));
      app.get('/write', (req, res) => {
        req.session.visits = Number(req.session.visits ?? 0) + 1;
        res.end();
      });
      app.get('/update', async (req, res) => {
        await req.session.update(data => {
          data.visits = Number(data.visits ?? 0) + 1;
        });
        res.end();
      });
      app.get('/read', (req, res) => void res.json(req.session.visits));
      app.get('/touch-and-write', (req, res) => {
        req.session.touch();
        req.session.visits = 0;
        res.end();
      });
      const served = await serve(app);
      const client = new Client(served.url);
      await client.get('/write');
      for (const path of ['/write', '/read', '/update']) {
        assert.deepEqual((await client.get(path)).setCookies, [], `${path}: nothing is due`);
      }
      for (const path of ['/write', '/read', '/update', '/write']) {
        clock.advance('50m');
        assert.match((await client.get(path)).setCookies.join(), / Max-Age=3600;/, path);
      }
      clock.advance('1s');
      assert.match((await client.get('/touch-and-write')).setCookies.join(), / Max-Age=3600;/, 'asked for');
      assert.equal((await client.get('/read')).json(), 0);
      await served.close();
    });

    it('an expired id starts clean', async () => {
      const clock = createTestClock();
      const app = express();
      app.use(session({ secret: 'secretkey', idle: '30m', store: memoryStore({ clock }), clock }));
      app.get('/in', (req, res) => {
        req.session.username = 'shree';
        res.end();
      });
      app.get('/who', (req, res) => {
        res.json(req.session.username ?? null);
      });
      const served = await serve(app);
      const client = new Client(served.url);
      await client.get('/in');
      clock.advance(30 * 60_000 - 1000);
      assert.equal((await client.get('/who')).body, '"shree"');
      clock.advance(30 * 60_000);
      assert.equal((await client.get('/who')).body, 'null');
      await served.close();
    });
  });
}
