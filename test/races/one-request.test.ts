// What one request does to its session happens in order, each from what the last has stored, whether it waits or not.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import express from 'express';
import type { SessionStore } from 'madeleine';
import { session } from 'madeleine/express';
import { memoryStore } from 'madeleine/memory';
import { faultStore } from 'madeleine/testing';
import { Client } from '../support/client.ts';
import { gateway } from '../support/gateway.ts';
import { serve } from '../support/serve.ts';
import { warningsIn } from '../support/warnings.ts';
import { createRace } from './app.ts';
import { ARENAS } from './stores.ts';

for (const { name, skip = false, open } of ARENAS) {
  describe(`${name}: a handler that waits for nothing`, { skip }, () => {
    it('saves: the write is there once, as what began the session and later', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/careless/save/cake');
      await client.get('/careless/save/tea');
      assert.deepEqual((await client.get('/data')).json(), { cart: ['cake', 'tea'], userId: null });
      await race.close();
    });

    it('changes something while its response is held: both writes are there once', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/add/cake');
      await client.get('/careless/late/tea');
      let cart: string[] = [];
      for (let i = 0; i < 100 && !cart.includes('late'); i++)
        cart = (await client.get('/data')).json<{ cart: string[] }>().cart;
      assert.deepEqual(cart, ['cake', 'tea', 'late']);
      await race.close();
    });

    it('updates: the response comes when that is done', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/add/cake');
      await client.get('/careless/update/tea');
      assert.deepEqual((await client.get('/data')).json(), { cart: ['cake', 'tea'], visits: 1, userId: null });
      await race.close();
    });

    it('logs in: the response carries the new cookie, and the cart is in it once', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/add/cake');
      assert.equal((await client.get('/careless/login/tea')).setCookies.length, 1);
      assert.deepEqual((await client.get('/data')).json(), { cart: ['cake', 'tea'], userId: 'ada' });
      await race.close();
    });

    it('gives a new id: the response carries it', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/login/ada');
      assert.equal((await client.get('/careless/rotate/tea')).setCookies.length, 1);
      assert.deepEqual((await client.get('/data')).json(), { cart: ['tea'], userId: 'ada' });
      await race.close();
    });

    it('logs out: the session is gone when the response comes', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/login/ada');
      const old = client.tab();
      await client.get('/careless/logout/tea');
      assert.equal(client.jar.size, 0);
      assert.deepEqual((await old.get('/data')).json(), { userId: null });
      await race.close();
    });

    it('logs out in the middle of a response: the session is gone when its end comes', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/login/ada');
      assert.equal((await client.get('/careless-stream')).body, 'firstlast');
      assert.deepEqual((await client.get('/data')).json(), { userId: null });
      await race.close();
    });
  });
}

it('a client that goes away while its session is saved: the write is there once, and nobody is warned', async context => {
  const memory = memoryStore();
  const [saving, saved] = [gateway(), gateway()];
  const store: SessionStore = {
    ...faultStore(memory),
    async replace(...call) {
      saving.open();
      await saved.opened;
      return memory.replace(...call);
    },
  };
  const app = express();
  app.use(session({ secret: 'a secret of more than thirty-two bytes', store }));
  const [second, closed] = [gateway(), gateway()];
  app.get('/add/:item', (req, res) => {
    if (req.params['item'] === 'tea') res.once('close', closed.open);
    if (req.params['item'] === 'rose') setImmediate(second.open);
    req.session.cart = [...(req.session.cart ?? []), req.params['item'] as string];
    res.json(req.session.cart);
  });
  app.get('/cart', (req, res) => void res.json(req.session.cart));
  const served = await serve(app);
  const warnings = warningsIn(context);

  const client = new Client(served.url);
  await client.get('/add/cake');
  const gone = new AbortController();
  const answer = client.get('/add/tea', { signal: gone.signal });
  await saving.opened;
  const other = client.get('/add/rose');
  await second.opened;
  gone.abort();
  await assert.rejects(answer);
  await closed.opened;
  saved.open();
  await other;
  assert.deepEqual((await client.get('/cart')).json(), ['cake', 'tea', 'rose']);
  await served.close();
  assert.deepEqual(warnings, []);
});
