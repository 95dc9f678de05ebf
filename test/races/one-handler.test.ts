// What one handler does to its session: several things at once, in any order, awaited or not. Nothing is done twice or lost.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Request, RequestHandler } from 'express';
import type { SessionStore } from 'madeleine';
import type { Client } from '../support/client.ts';
import { type ServedRoutes, serveRoutes } from '../support/routes.ts';
import { ARENAS } from './stores.ts';

function add(req: Request, item: string): void {
  req.session.cart ??= [];
  req.session.cart.push(item);
}

const ROUTES: Record<string, RequestHandler> = {
  '/data': (req, res) => void res.json({ ...req.session, userId: req.session.about.userId }),
  '/add/:item': (req, res) => {
    add(req, req.params['item'] as string);
    res.end();
  },
  '/login/:user': async (req, res) => {
    await req.session.login(req.params['user'] as string);
    res.end();
  },
};

/** How many live records the store holds. */
async function live(store: SessionStore): Promise<number> {
  const { entries } = (await store.admin?.page(null, 100)) ?? { entries: [] };
  return entries.filter(([, record]) => record.successor === null).length;
}

/** An update of a stored session that does not finish. */
async function timesOut(served: ServedRoutes): Promise<Client> {
  const client = served.client();
  await client.get('/add/plum');
  const answer = await client.get('/play');
  assert.deepEqual([answer.status, answer.json()['code']], [503, 'ERR_UPDATE_TIMEOUT']);
  return client;
}

for (const { name, skip = false, open } of ARENAS) {
  describe(`${name}, in one request`, { skip }, () => {
    async function play(handler: RequestHandler, run: (served: ServedRoutes, store: SessionStore) => Promise<void>) {
      const store = await open();
      const served = await serveRoutes({ ...ROUTES, '/play': handler }, { store, storeTimeout: '1s' });
      try {
        await run(served, store);
      } finally {
        await served.close();
      }
    }

    it('a save that is not awaited, then the response: one session, with everything', () =>
      play(
        (req, res) => {
          add(req, 'cake');
          void req.session.save();
          add(req, 'tea');
          res.redirect('/data');
        },
        async (served, store) => {
          const client = served.client();
          await client.get('/play');
          assert.deepEqual((await client.get('/data')).json()['cart'], ['cake', 'tea']);
          assert.equal(await live(store), 1);
          await client.get('/play');
          assert.deepEqual((await client.get('/data')).json()['cart'], ['cake', 'tea', 'cake', 'tea']);
        },
      ));

    it('two saves that are not awaited do nothing twice, others writing meanwhile', () =>
      play(
        (req, res) => {
          add(req, 'cake');
          void req.session.save();
          void req.session.save();
          add(req, 'tea');
          void req.session.save();
          res.end();
        },
        async served => {
          const client = served.client();
          await client.get('/add/plum');
          await Promise.all([client.tab().get('/play'), client.tab().get('/add/nut')]);
          const { cart } = (await client.get('/data')).json<{ cart: string[] }>();
          assert.deepEqual([...cart].sort(), ['cake', 'nut', 'plum', 'tea']);
        },
      ));

    it('an update that is not awaited, and a change meanwhile: both stand', () =>
      play(
        async (req, res) => {
          const counted = req.session.update(data => {
            data.visits = (data.visits ?? 0) + 1;
          });
          req.session.theme = 'dark';
          await counted;
          assert.equal(req.session.theme, 'dark');
          res.end();
        },
        async served => {
          const client = served.client();
          await client.get('/add/plum');
          await client.get('/play');
          const { visits, theme } = (await client.get('/data')).json();
          assert.deepEqual([visits, theme], [1, 'dark']);
        },
      ));

    it('a login that is not awaited: the response waits for it and carries its cookie', () =>
      play(
        (req, res) => {
          add(req, 'cake');
          void req.session.login('ada');
          res.redirect('/data');
        },
        async served => {
          const client = served.client();
          await client.get('/add/plum');
          assert.equal((await client.get('/play')).setCookies.length, 1);
          const { userId, cart } = (await client.get('/data')).json();
          assert.deepEqual([userId, cart], ['ada', ['plum', 'cake']]);
        },
      ));

    it('a save that is not awaited, then a login: the login stands', () =>
      play(
        async (req, res) => {
          add(req, 'cake');
          void req.session.save();
          await req.session.login('ada');
          add(req, 'tea');
          res.end();
        },
        async (served, store) => {
          const client = served.client();
          await client.get('/play');
          const { userId, cart } = (await client.get('/data')).json();
          assert.deepEqual([userId, cart], ['ada', ['cake', 'tea']]);
          assert.equal(await live(store), 1);
        },
      ));

    it('two logins: the later one stands, alone, without the data of the first user', () =>
      play(
        async (req, res) => {
          await Promise.all([req.session.login('ada'), req.session.login('bob')]);
          res.end();
        },
        async (served, store) => {
          const client = served.client();
          await client.get('/add/plum');
          await client.get('/play');
          assert.deepEqual((await client.get('/data')).json(), { userId: 'bob' });
          assert.equal(await live(store), 1);
        },
      ));

    it('logout, then a write: a session of its own, of nobody', () =>
      play(
        async (req, res) => {
          await req.session.logout();
          add(req, 'tea');
          res.end();
        },
        async (served, store) => {
          const client = served.client();
          await client.get('/login/ada');
          const before = client.tab();
          await client.get('/play');
          assert.deepEqual((await client.get('/data')).json(), { cart: ['tea'], userId: null });
          assert.deepEqual((await before.get('/data')).json(), { userId: null });
          assert.equal(await live(store), 1);
        },
      ));

    it('a logout that is not awaited: the response waits for it and clears the cookie', () =>
      play(
        (req, res) => {
          void req.session.logout();
          res.end();
        },
        async (served, store) => {
          const client = served.client();
          await client.get('/login/ada');
          await client.get('/play');
          assert.equal(client.jar.size, 0);
          assert.equal(await live(store), 0);
        },
      ));

    it('logout and login: one session, of the new user', () =>
      play(
        async (req, res) => {
          void req.session.logout();
          await req.session.login('bob');
          res.end();
        },
        async (served, store) => {
          const client = served.client();
          await client.get('/login/ada');
          await client.get('/add/secret');
          await client.get('/play');
          assert.deepEqual((await client.get('/data')).json(), { userId: 'bob' });
          assert.equal(await live(store), 1);
        },
      ));

    it('regenerate, then login: one session, of the user', () =>
      play(
        async (req, res) => {
          await req.session.regenerate();
          add(req, 'tea');
          await req.session.login('ada');
          res.end();
        },
        async (served, store) => {
          const client = served.client();
          await client.get('/add/plum');
          await client.get('/play');
          assert.deepEqual((await client.get('/data')).json(), { cart: ['tea'], userId: 'ada' });
          assert.equal(await live(store), 1);
        },
      ));

    it('rotate and regenerate at once leave no session behind', () =>
      play(
        async (req, res) => {
          await Promise.all([req.session.rotate(), req.session.regenerate()]);
          res.end();
        },
        async (served, store) => {
          const client = served.client();
          await client.get('/login/ada');
          await client.get('/play');
          assert.deepEqual((await client.get('/data')).json(), { userId: null });
          assert.equal(await live(store), 0);
        },
      ));

    it('a login after a save that was merged carries what others wrote', () =>
      play(
        async (req, res) => {
          void req.session;
          await fetch(`${req.protocol}://${req.get('host')}/add/nut`, { headers: { cookie: req.get('cookie') ?? '' } });
          req.session.theme = 'dark';
          await req.session.save();
          await req.session.login('ada');
          res.json(req.session.cart);
        },
        async served => {
          const client = served.client();
          await client.get('/add/plum');
          assert.deepEqual((await client.get('/play')).json(), ['plum', 'nut']);
          assert.deepEqual((await client.get('/data')).json(), {
            cart: ['plum', 'nut'],
            theme: 'dark',
            userId: 'ada',
          });
        },
      ));

    it('the bag that a handler holds stays the session across a login, also one that narrows it', () =>
      play(
        async (req, res) => {
          const { session } = req;
          session.username = 'visitor';
          await session.login('ada', { keep: ['cart'] });
          session.theme = 'dark';
          res.end();
        },
        async served => {
          const client = served.client();
          await client.get('/add/plum');
          await client.get('/play');
          assert.deepEqual((await client.get('/data')).json(), { cart: ['plum'], theme: 'dark', userId: 'ada' });
        },
      ));

    it('an update inside an update fails in bounded time, and the session goes on', () =>
      play(
        async (req, res) => {
          await req.session.update(async data => {
            data.visits = 1;
            await req.session.update(inner => {
              inner.theme = 'dark';
            });
          });
          res.end();
        },
        async served => {
          const client = await timesOut(served);
          await client.get('/add/nut');
          const { cart, visits } = (await client.get('/data')).json();
          assert.deepEqual([cart, visits], [['plum', 'nut'], undefined]);
        },
      ));

    it('so does one that waits for a promise of another kind, as query builders give, which never answers', () =>
      play(
        async (req, res) => {
          // biome-ignore lint/suspicious/noThenProperty: that is what it is about
          await req.session.update(() => ({ then() {} }) as unknown as Promise<void>);
          res.end();
        },
        async served => void (await timesOut(served)),
      ));
  });
}
