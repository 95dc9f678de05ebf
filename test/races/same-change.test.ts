// Two requests that make the very same change are two; one whose write was answered by nobody is one.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestHandler } from 'express';
import { memoryStore } from 'madeleine/memory';
import { type FaultStore, faultStore } from 'madeleine/testing';
import { gateway } from '../support/gateway.ts';
import { serveRoutes } from '../support/routes.ts';

const REQUESTS = 5;

/** Opens when this many have come. */
function barrier(): () => Promise<void> {
  const { opened, open } = gateway();
  let waiting = 0;
  return () => {
    waiting++;
    if (waiting === REQUESTS) open();
    return opened;
  };
}

function routes(meet: () => Promise<void>): Record<string, RequestHandler> {
  return {
    '/begin': (req, res) => {
      req.session.cart = [];
      req.session.visits = 0;
      res.end();
    },
    '/tea': async (req, res) => {
      const { session } = req;
      session.cart?.push('tea');
      session.visits = (session.visits ?? 0) + 1;
      await meet();
      res.end();
    },
    '/tea-saved-twice': async (req, res) => {
      req.session.cart?.push('tea');
      req.session.visits = (req.session.visits ?? 0) + 1;
      await assert.rejects(req.session.save(), { code: 'ERR_STORE_FAILED' });
      res.end();
    },
    '/tea-then-login': async (req, res) => {
      req.session.cart?.push('tea');
      req.session.visits = (req.session.visits ?? 0) + 1;
      await assert.rejects(req.session.save(), { code: 'ERR_STORE_FAILED' });
      await req.session.login('ada');
      res.end();
    },
    '/data': (req, res) => void res.json(req.session),
  };
}

const SPEEDS: Record<string, () => FaultStore> = {
  'at once': () => faultStore(memoryStore()),
  later: () => faultStore(memoryStore(), () => ({ kind: 'delay', time: 1 })),
};

for (const [speed, open] of Object.entries(SPEEDS)) {
  describe(`a store that answers ${speed}`, () => {
    it('keeps the same addition of each request', async t => {
      const served = await serveRoutes(routes(barrier()), { store: open(), merge: { visits: 'sum' } });
      t.after(() => served.close());
      const client = served.client();
      await client.get('/begin');
      await Promise.all(Array.from({ length: REQUESTS }, () => client.tab().get('/tea')));
      const expected = { cart: Array(REQUESTS).fill('tea'), visits: REQUESTS };
      assert.deepEqual((await client.get('/data')).json(), expected);
    });

    for (const path of ['/tea-saved-twice', '/tea-then-login'])
      it(`does not keep an addition twice whose answer was lost: ${path}`, async t => {
        const store = open();
        const served = await serveRoutes(routes(barrier()), { store, merge: { visits: 'sum' } });
        t.after(() => served.close());
        const client = served.client();
        await client.get('/begin');
        let lost = false;
        store.plan(({ operation }) => {
          if (operation !== 'replace' || lost) return null;
          lost = true;
          return { kind: 'drop' };
        });
        assert.equal((await client.get(path)).status, 200);
        assert.equal(lost, true);
        assert.deepEqual((await client.get('/data')).json(), { cart: ['tea'], visits: 1 });
      });
  });
}
