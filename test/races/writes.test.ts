// No update is lost: many requests at once on one session, in one process and in four.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, it } from 'node:test';
import { faultStore } from 'madeleine/testing';
import { Client, request } from '../support/client.ts';
import { createRace } from './app.ts';
import { ARENAS, FAR, SHARED_ARENAS } from './stores.ts';

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => `item-${i}`);

for (const { name, skip, open } of ARENAS) {
  describe(name, { skip: skip ?? false }, () => {
    it('200 requests at once that each add an item keep 200', async t => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/set/theme/dark');
      const answers = await Promise.all(numbers(200).map(item => client.tab().get(`/add/${item}`)));
      assert.ok(answers.every(({ status }) => status === 200));
      const { cart } = (await client.get('/data')).json<{ cart: string[] }>();
      t.diagnostic(`kept ${new Set(cart).size} of 200`);
      assert.deepEqual([...cart].sort(), numbers(200).sort());
      await race.close();
    });

    it('50 requests at once that each set another key keep all keys', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/set/theme/dark');
      await Promise.all(numbers(50).map(key => client.tab().get(`/set/${key}/1`)));
      const data = (await client.get('/data')).json();
      for (const key of numbers(50)) assert.equal(data[key], '1', key);
      await race.close();
    });

    it('an update that never finishes fails in the end, and what waited for it is saved', async () => {
      const race = await createRace(await open(), { storeTimeout: '400ms' });
      const client = race.client();
      await client.get('/set/theme/dark');
      const [stuck, added] = await Promise.all([client.tab().get('/stuck'), client.tab().get('/add/tea')]);
      assert.equal(stuck.status, 503);
      assert.match(stuck.body, /ERR_UPDATE_TIMEOUT/);
      assert.equal(added.status, 200);
      assert.deepEqual((await client.get('/data')).json()['cart'], ['tea']);
      await race.close();
    });

    it("concurrency 'serialize': a request waits for the one before it, and then sees what it wrote", async () => {
      const race = await createRace(await open(), { concurrency: 'serialize' });
      const client = race.client();
      await client.get('/set/theme/dark');
      const first = client.tab().get('/set/step/1?wait=first');
      await race.waiting('first');
      const second = client.tab().get('/data');
      await race.client().get('/data'); // another visitor does not wait; meanwhile the second has arrived
      race.go('first');
      await first;
      assert.equal((await second).json()['step'], '1');
      await race.close();
    });

    it("concurrency 'serialize': a handler that asks its own server gets an answer, and nothing is lost", async () => {
      const race = await createRace(await open(), { concurrency: 'serialize', storeTimeout: '400ms' });
      const client = race.client();
      await client.get('/set/theme/dark');
      assert.equal((await client.get('/self/tea')).status, 200);
      const { cart, asked } = (await client.get('/data')).json();
      assert.deepEqual([cart, asked], [['tea'], 'itself']);
      await race.close();
    });

    it("concurrency 'serialize': a request that failed has had its turn", async () => {
      let broken = false;
      const store = faultStore(await open(), call => (broken && call.operation === 'read' ? { kind: 'fail' } : null));
      const race = await createRace(store, { concurrency: 'serialize', storeTimeout: '1h' });
      const client = race.client();
      await client.get('/set/theme/dark');
      broken = true;
      assert.equal((await client.get('/data')).status, 503);
      broken = false;
      assert.equal((await client.get('/data')).json()['theme'], 'dark');
      await race.close();
    });

    it("concurrency 'last-write-wins': the later save replaces the earlier", async () => {
      const race = await createRace(await open(), { concurrency: 'last-write-wins' });
      const client = race.client();
      await client.get('/set/theme/dark');
      const later = client.tab().get('/set/a/1?early&wait=later');
      await race.waiting('later');
      await client.tab().get('/set/b/2');
      race.go('later');
      await later;
      const { a, b } = (await client.get('/data')).json();
      assert.deepEqual([a, b], ['1', undefined]);
      await race.close();
    });

    it('200 updates at once count to 200, and each is told another number', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/set/theme/dark');
      const told = await Promise.all(numbers(200).map(async () => Number((await client.tab().get('/count')).body)));
      assert.equal(new Set(told).size, 200);
      assert.equal((await client.get('/data')).json()['visits'], 200);
      await race.close();
    });
  });
}

for (const { kind, skip, where } of SHARED_ARENAS) {
  describe(`${kind}, one for all`, { skip: skip ?? false }, () => {
    it('200 requests at once on 4 processes keep 200', async t => {
      const place = await where();
      const servers = Array.from({ length: 4 }, () => fork(path.join(import.meta.dirname, 'server.js'), [kind, place]));
      const ports = await Promise.all(
        servers.map(async server => ((await once(server, 'message'))[0] as { port: number }).port),
      );
      try {
        const client = new Client(`http://127.0.0.1:${ports[0]}`);
        await client.get('/set/theme/dark');
        const headers = { cookie: client.cookieHeader() };
        const ask = (item: string, i: number) => request(`http://127.0.0.1:${ports[i % 4]}/add/${item}`, { headers });
        const answers = await Promise.all(numbers(200).map(ask));
        assert.ok(answers.every(({ status }) => status === 200));
        const { cart } = (await client.get('/data')).json<{ cart: string[] }>();
        t.diagnostic(`kept ${new Set(cart).size} of 200 with 4 processes`);
        assert.deepEqual([...cart].sort(), numbers(200).sort());
      } finally {
        for (const server of servers) server.kill('SIGKILL');
      }
    });
  });
}

for (const { name, skip, open } of [...ARENAS, ...FAR]) {
  describe(`${name}: a client sees its own write`, { skip: skip ?? false }, () => {
    it('when it follows a redirect at once', async () => {
      const race = await createRace(await open());
      const client = race.client();
      for (let i = 1; i <= 3; i++) {
        const answer = await client.get(`/redirect/${i}`);
        const followed = await client.get(answer.headers.location as string);
        assert.equal(followed.json<{ cart: string[] }>().cart.length, i);
      }
      await race.close();
    });

    it('when it has the first chunk of a stream and asks again', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/set/theme/dark');
      const { body } = await new Promise<{ body: string }>((resolve, reject) => {
        import('node:http').then(({ get }) => {
          get(`${race.url}/stream/tea`, { headers: { cookie: client.cookieHeader() } }, incoming => {
            incoming.once('data', () => client.get('/data').then(resolve, reject));
            incoming.resume();
          }).on('error', reject);
        }, reject);
      });
      assert.deepEqual(JSON.parse(body).cart, ['tea']);
      await race.close();
    });
  });
}
