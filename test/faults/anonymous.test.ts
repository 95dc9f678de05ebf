// onStoreError: what becomes of a request whose session cannot be read.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { RequestHandler } from 'express';
import type { SessionEvents } from 'madeleine';
import { memoryStore } from 'madeleine/memory';
import { createTestClock, type FaultStore, faultStore } from 'madeleine/testing';
import { request } from '../support/client.ts';
import { type ServedRoutes, serveRoutes } from '../support/routes.ts';

/** Whatever changes the session, or may. */
const CHANGES: Record<string, RequestHandler> = {
  push: (req, res) => {
    req.session.cart ??= [];
    req.session.cart.push('cake');
    res.redirect('/');
  },
  flash: (req, res) => {
    req.flash('info', 'Welcome.');
    res.end();
  },
  save: async (req, res) => {
    req.session.theme = 'dark';
    await req.session.save();
    res.end();
  },
  update: async (req, res) => {
    await req.session.update(data => {
      data.visits = 1;
    });
    res.end();
  },
  login: async (req, res) => {
    await req.session.login('bob');
    res.redirect('/');
  },
  'login-by-callback': (req, res, next) => {
    req.session.login('bob', error => (error ? next(error) : res.redirect('/')));
  },
  logout: async (req, res) => {
    await req.session.logout();
    res.redirect('/');
  },
  'logout-not-awaited': (req, res) => {
    void req.session.destroy();
    res.redirect('/');
  },
  regenerate: async (req, res) => {
    await req.session.regenerate();
    res.end();
  },
  rotate: async (req, res) => {
    await req.session.rotate();
    res.end();
  },
  reload: async (req, res) => {
    await req.session.reload();
    res.end();
  },
};

const ROUTES: Record<string, RequestHandler> = {
  '/page': (_req, res) => void res.send('the same for all'),
  '/data': (req, res) => {
    const { about } = req.session;
    res.set('Cache-Control', 'private, max-age=60');
    res.json({ ...req.session, userId: about.userId, unavailable: about.unavailable });
  },
  '/add/:item': (req, res) => {
    req.session.cart = [...(req.session.cart ?? []), req.params['item'] as string];
    res.end();
  },
  '/touch': (req, res) => {
    req.session.touch();
    res.send('touched');
  },
  '/messages': (req, res) => void res.json(req.flash('info')),
  '/stream': (req, res) => {
    void req.session;
    res.write('first');
    setImmediate(() => {
      req.session.theme = 'dark';
      res.end('last');
    });
  },
  ...Object.fromEntries(Object.entries(CHANGES).map(([name, handler]) => [`/change/${name}`, handler])),
};

for (const kind of ['fail', 'hang', 'throw at once'] as const) {
  describe(`onStoreError: 'anonymous', reads ${kind}`, () => {
    let store: FaultStore;
    let served: ServedRoutes;
    let broken = false;
    let events: SessionEvents['unavailable'][] = [];

    beforeEach(async () => {
      const kept = memoryStore();
      const { read } = kept;
      kept.read = key => {
        if (broken && kind === 'throw at once') throw new Error('disk gone');
        return read.call(kept, key);
      };
      store = faultStore(kept, ({ operation }) =>
        broken && operation === 'read' && kind !== 'throw at once' ? { kind } : null,
      );
      served = await serveRoutes(ROUTES, { store, onStoreError: 'anonymous', storeTimeout: 100 });
      events = [];
      served.remember.sessions.on('unavailable', event => events.push(event));
    });
    afterEach(async () => {
      broken = false;
      await served.close();
    });

    /** A client who is logged in and has a cart, and whose session cannot be read any more. */
    async function cutOff() {
      const client = served.client();
      await client.get('/add/plum');
      await client.get('/change/login');
      broken = true;
      return client;
    }
    const theirs = { cart: ['plum'], userId: 'bob', unavailable: false };

    it('a page is served as to a visitor: no cookie, nothing stored, kept by no cache, and an event tells', async () => {
      const client = await cutOff();
      const calls = store.calls.length;
      const answer = await client.get('/data');
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.json(), { userId: null, unavailable: true });
      assert.deepEqual(answer.setCookies, []);
      assert.equal(answer.headers['cache-control'], 'no-store');
      assert.equal(answer.headers.vary, 'Cookie');
      assert.deepEqual(
        store.calls.slice(calls).map(({ operation }) => operation),
        ['read'],
      );
      assert.deepEqual(
        events.map(({ error }) => (error as { code: string }).code),
        [kind === 'hang' ? 'ERR_STORE_TIMEOUT' : 'ERR_STORE_FAILED'],
      );
      assert.ok(events.every(({ tag }) => tag.length === 12));
      assert.equal(
        (await client.get('/page')).headers['cache-control'],
        undefined,
        'it does not depend on the session',
      );
      for (const path of ['/touch', '/messages']) assert.equal((await client.get(path)).status, 200, path);
      broken = false;
      const { headers, ...found } = await client.get('/data');
      assert.deepEqual(found.json(), theirs);
      assert.equal(headers['cache-control'], 'private, max-age=60');
    });

    for (const change of Object.keys(CHANGES)) {
      it(`${change}: a clean 503, and the session is as it was`, async () => {
        const client = await cutOff();
        const answer = await client.get(`/change/${change}`);
        assert.equal(answer.status, 503);
        assert.match(answer.body, /^\{"code":"ERR_STORE_(FAILED|TIMEOUT)"\}$/);
        assert.deepEqual(answer.setCookies, []);
        assert.equal(answer.headers.location, undefined);
        broken = false;
        assert.deepEqual((await client.get('/data')).json(), theirs);
        assert.equal((await served.remember.sessions.list('bob')).length, 1);
      });
    }

    it('a change after the head has left: the connection is cut, so that the client takes it for no success', async () => {
      const client = await cutOff();
      await assert.rejects(client.get('/stream'));
      broken = false;
      assert.deepEqual((await client.get('/data')).json(), theirs);
    });

    it('a visitor without a session is none of it, and can begin one', async () => {
      broken = true;
      const client = served.client();
      assert.equal((await client.get('/add/nut')).status, 200);
      assert.equal(client.jar.size, 1);
      assert.deepEqual(events, []);
    });
  });
}

describe("onStoreError: 'anonymous', and otherwise", () => {
  it('writes fail as ever', async () => {
    const store = faultStore(memoryStore());
    const served = await serveRoutes(ROUTES, { store, onStoreError: 'anonymous' });
    const client = served.client();
    await client.get('/add/plum');
    store.plan(({ operation }) => (operation === 'read' ? null : { kind: 'fail' }));
    for (const path of ['/add/nut', '/change/login', '/change/logout']) {
      assert.equal((await client.get(path)).status, 503, path);
    }
    store.plan(() => null);
    assert.deepEqual((await client.get('/data')).json()['cart'], ['plum']);
    await served.close();
  });

  it('an id that may be stolen opens nothing, though its family cannot be ended', async () => {
    const clock = createTestClock();
    const store = faultStore(memoryStore({ clock }));
    const served = await serveRoutes(ROUTES, { store, clock, onStoreError: 'anonymous' });
    const client = served.client();
    await client.get('/change/login');
    const thief = client.tab();
    await client.get('/change/rotate');
    clock.advance('11s');
    store.plan(({ operation }) => (operation === 'replace' ? { kind: 'fail' } : null));
    assert.deepEqual((await thief.get('/data')).json(), { userId: null, unavailable: true });
    store.plan(() => null);
    assert.deepEqual((await thief.get('/data')).json(), { userId: null, unavailable: false });
    assert.equal((await client.get('/data')).json()['userId'], null, 'the next use ends it');
    await served.close();
  });

  it("with concurrency 'serialize' the turn ends with the response", async () => {
    const store = faultStore(memoryStore());
    const options = { store, onStoreError: 'anonymous', concurrency: 'serialize', storeTimeout: '1h' } as const;
    const served = await serveRoutes(ROUTES, options);
    const client = served.client();
    await client.get('/add/plum');
    store.plan(({ operation }) => (operation === 'read' ? { kind: 'fail' } : null));
    assert.equal((await client.get('/data')).json()['unavailable'], true);
    store.plan(() => null);
    assert.deepEqual((await client.get('/data')).json()['cart'], ['plum']);
    await served.close();
  });

  it("'fail' is the default: a 503, whatever the page", async () => {
    const store = faultStore(memoryStore());
    const served = await serveRoutes(ROUTES, { store });
    const client = served.client();
    await client.get('/add/plum');
    store.plan(({ operation }) => (operation === 'read' ? { kind: 'fail' } : null));
    for (const path of ['/page', '/data']) assert.equal((await client.get(path)).status, 503, path);
    const bare = await request(`${served.url}/page`);
    assert.equal(bare.status, 200, 'who brings no cookie needs no store');
    await served.close();
  });
});
