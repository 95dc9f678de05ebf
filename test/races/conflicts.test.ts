// Compare-and-set that others win: again and again, without end, and while an id is given up.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestHandler } from 'express';
import type { Replaced, SessionRecord, SessionStore } from 'madeleine';
import { memoryStore } from 'madeleine/memory';
import { type FaultStore, faultStore } from 'madeleine/testing';
import type { Client } from '../support/client.ts';
import { type ServedRoutes, serveRoutes } from '../support/routes.ts';
import { ARENAS } from './stores.ts';

const ROUTES: Record<string, RequestHandler> = {
  '/data': (req, res) => void res.json({ ...req.session, userId: req.session.about.userId }),
  '/add/:item': (req, res) => {
    req.session.cart = [...(req.session.cart ?? []), req.params['item'] as string];
    res.end();
  },
  '/count': async (req, res) => {
    await req.session.update(data => {
      data.visits = (data.visits ?? 0) + 1;
    });
    res.end();
  },
  '/login/:user': async (req, res) => {
    await req.session.login(req.params['user'] as string);
    res.end();
  },
  '/logout': async (req, res) => {
    await req.session.logout();
    res.end();
  },
  '/rotate': async (req, res) => {
    await req.session.rotate();
    res.end();
  },
  '/regenerate': async (req, res) => {
    await req.session.regenerate();
    res.end();
  },
};

/** A store in which, while it lasts, somebody else has always just written to the sessions that were there before. */
function contested(store: FaultStore) {
  const contest = { on: false, refused: 0 };
  const begun = new Set<string>();
  const create: SessionStore['create'] = (key, record) => {
    if (!contest.on) begun.add(key);
    return store.create(key, record);
  };
  const replace: SessionStore['replace'] = (key, record, expected) => {
    if (!contest.on || !begun.has(key)) return store.replace(key, record, expected);
    contest.refused++;
    const refuse = (current: SessionRecord | null): Replaced => ({
      ok: false,
      current: current && { ...current, version: current.version + contest.refused },
    });
    const current = store.read(key);
    return current instanceof Promise ? current.then(refuse) : refuse(current);
  };
  return Object.assign(contest, { store: { ...store, create, replace } });
}

const SPEEDS: Record<string, () => FaultStore> = {
  'at once': () => faultStore(memoryStore()),
  later: () => faultStore(memoryStore(), () => ({ kind: 'delay', time: 1 })),
};

for (const [speed, open] of Object.entries(SPEEDS)) {
  describe(`a store that answers ${speed}, and always of a conflict`, () => {
    for (const path of ['/add/cake', '/count', '/login/bob', '/logout', '/rotate', '/regenerate']) {
      it(`${path}: a clean 409 after 50 attempts, and nothing of it was done`, async () => {
        const contest = contested(open());
        const served = await serveRoutes(ROUTES, { store: contest.store });
        const client = served.client();
        await client.get('/add/plum');
        await client.get('/login/ada');
        contest.on = true;
        const answer = await client.get(path);
        assert.deepEqual([answer.status, answer.json()], [409, { code: 'ERR_CONFLICT' }]);
        assert.deepEqual(answer.setCookies, []);
        assert.equal(contest.refused, 50);
        contest.on = false;
        assert.deepEqual((await client.get('/data')).json(), { cart: ['plum'], userId: 'ada' });
        await client.get('/add/nut');
        assert.deepEqual((await client.get('/data')).json()['cart'], ['plum', 'nut']);
        assert.deepEqual(
          await Promise.all(['ada', 'bob'].map(async user => (await served.remember.sessions.list(user)).length)),
          [1, 0],
        );
        await served.close();
      });
    }
  });
}

interface Storm {
  client: Client;
  /** What was acknowledged to the writers so far. */
  added: readonly string[];
  /** Lets every writer end what it is at. */
  subside(): Promise<void>;
}

/** Ten tabs of one client, logged in, that write without a pause. Resolves when each has written. */
async function rage(served: ServedRoutes): Promise<Storm> {
  const client = served.client();
  await client.get('/login/ada');
  const added: string[] = [];
  let over = false;
  const writers = Array.from({ length: 10 }, (_, writer) => {
    const tab = client.tab();
    const write = async (i: number): Promise<void> => {
      assert.equal((await tab.get(`/add/${writer}-${i}`)).status, 200);
      added.push(`${writer}-${i}`);
    };
    const begun = write(0);
    const ended = begun.then(async () => {
      for (let i = 1; !over; i++) await write(i);
    });
    return { begun, ended };
  });
  await Promise.all(writers.map(({ begun }) => begun));
  return {
    client,
    added,
    async subside() {
      over = true;
      await Promise.all(writers.map(({ ended }) => ended));
    },
  };
}

for (const { name, skip, open } of ARENAS) {
  describe(`${name}: in a storm of writes`, { skip: skip ?? false }, () => {
    it('a rotation gets through, and every write is kept once', async () => {
      const served = await serveRoutes(ROUTES, { store: await open() });
      const { client, added, subside } = await rage(served);
      assert.equal((await client.get('/rotate')).status, 200);
      await subside();
      const { cart, userId } = (await client.get('/data')).json<{ cart: string[]; userId: string }>();
      assert.equal(userId, 'ada');
      assert.deepEqual([...cart].sort(), [...added].sort());
      await served.close();
    });

    it('a login gets through, with every write that was acknowledged before', async () => {
      const served = await serveRoutes(ROUTES, { store: await open() });
      const { client, added, subside } = await rage(served);
      const before = [...added];
      assert.equal((await client.get('/login/ada')).status, 200);
      await subside();
      const { cart, userId } = (await client.get('/data')).json<{ cart: string[]; userId: string }>();
      assert.equal(userId, 'ada');
      for (const item of before) assert.equal(cart.filter(one => one === item).length, 1, item);
      assert.equal((await served.remember.sessions.list('ada')).length, 1);
      await served.close();
    });

    it('a logout gets through, and nothing brings the session back', async () => {
      const served = await serveRoutes(ROUTES, { store: await open() });
      const { client, subside } = await rage(served);
      const before = client.tab();
      assert.equal((await client.get('/logout')).status, 200);
      await subside();
      assert.deepEqual((await before.get('/data')).json(), { userId: null });
      assert.deepEqual(await served.remember.sessions.list('ada'), []);
      await served.close();
    });
  });
}
