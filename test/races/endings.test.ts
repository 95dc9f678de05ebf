// What ended stays ended: requests under way across a logout, a login, a rotation.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { OnReuse } from 'madeleine';
import { memoryStore } from 'madeleine/memory';
import { createTestClock, faultStore } from 'madeleine/testing';
import { gateway } from '../support/gateway.ts';
import { warningsIn } from '../support/warnings.ts';
import { createRace } from './app.ts';
import { ARENAS } from './stores.ts';

for (const { name, skip, open } of ARENAS) {
  describe(name, { skip: skip ?? false }, () => {
    it('a write under way across a logout: the session stays dead, and no cookie undoes it, 10 of 10', async () => {
      const race = await createRace(await open());
      for (let round = 0; round < 10; round++) {
        const client = race.client();
        await client.get('/login/ada');
        const slow = client.tab();
        const answer = slow.get(`/add/tea?early&wait=logout-${round}`);
        await race.waiting(`logout-${round}`);
        const old = client.tab();
        await client.get('/logout');
        race.go(`logout-${round}`);
        assert.deepEqual((await answer).setCookies, []);
        const { cart, userId } = (await old.get('/data')).json();
        assert.deepEqual([cart, userId], [undefined, null]);
      }
      assert.deepEqual(await race.remember.sessions.list('ada').catch(() => []), []);
      await race.close();
    });

    it('a streaming response under way across a logout ends without a warning: its write is done with', async context => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/login/ada');
      const warnings = warningsIn(context);
      const answer = client.tab().get('/stream/tea?early&wait=stream');
      await race.waiting('stream');
      await client.get('/logout');
      race.go('stream');
      assert.equal((await answer).body, 'firstlast');
      await race.close();
      assert.deepEqual(warnings, []);
    });

    it('forty rotations at once: all succeed, with one session after them, which a new id opens', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/login/ada');
      const tabs = Array.from({ length: 40 }, () => client.tab());
      const answers = await Promise.all(tabs.map(tab => tab.get('/rotate')));
      assert.deepEqual(new Set(answers.map(answer => answer.status)), new Set([200]));
      const newest = tabs.filter((_, index) => answers[index]?.setCookies.length === 1);
      assert.notEqual(newest.length, 0);
      for (const tab of newest) assert.equal((await tab.get('/data')).json()['userId'], 'ada');
      assert.equal((await race.remember.sessions.list('ada')).length, 1);
      await race.close();
    });

    it('a write under way across a login: neither disturbs the new cookie nor gets its data', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/add/cake');
      const before = client.tab();
      const old = client.tab();
      const slow = before.get('/add/tea?early&wait=login');
      await race.waiting('login');
      assert.deepEqual((await client.get('/login/ada')).json()['cart'], ['cake']);
      await client.get('/set/diary/private');
      race.go('login');
      const [early, late] = [await slow, await old.get('/add/coffee')];
      assert.deepEqual([early.setCookies, late.setCookies], [[], []]);
      assert.ok(!early.body.includes('private') && !late.body.includes('private'));
      assert.deepEqual((await old.get('/data')).json(), { userId: null });
      const mine = (await client.get('/data')).json();
      assert.equal(mine['userId'], 'ada');
      assert.deepEqual(mine['cart'], ['cake']);
      await race.close();
    });

    it('a login with an id that was just rotated ends the id that the rotation gave', async () => {
      const race = await createRace(await open());
      const thief = race.client();
      await thief.get('/login/ada');
      const owner = thief.tab();
      await thief.get('/rotate');
      await owner.get('/login/ada');
      assert.equal((await thief.get('/data')).json()['userId'], null);
      assert.equal((await owner.get('/data')).json()['userId'], 'ada');
      await race.close();
    });

    it('two logins at once: each response carries a session of its own user, and nothing mixes', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/add/cake');
      const tabs = [client.tab(), client.tab()];
      await Promise.all(tabs.map((tab, i) => tab.get(`/login/user-${i}`)));
      for (const [i, tab] of tabs.entries()) {
        const { userId, cart } = (await tab.get('/data')).json<{ userId: string; cart?: string[] }>();
        assert.equal(userId, `user-${i}`);
        assert.ok(cart === undefined || cart.join() === 'cake');
      }
      await tabs[0]?.get('/set/diary/private');
      assert.equal((await tabs[1]?.get('/data'))?.json()['diary'], undefined);
      await race.close();
    });

    it('20 requests under way with the old id across a rotation: all served, none lost', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/login/ada');
      const tabs = Array.from({ length: 20 }, () => client.tab());
      const half = tabs.slice(0, 10).map((tab, i) => tab.get(`/add/early-${i}?early&wait=rotate`));
      await race.waiting('rotate');
      await client.get('/rotate');
      race.go('rotate');
      const rest = tabs.slice(10).map((tab, i) => tab.get(`/add/late-${i}`));
      const answers = await Promise.all([...half, ...rest]);
      assert.ok(answers.every(({ status, setCookies }) => status === 200 && setCookies.length === 0));
      const { cart, userId } = (await client.get('/data')).json<{ cart: string[]; userId: string }>();
      assert.equal(userId, 'ada');
      assert.equal(new Set(cart).size, 20);
      await race.close();
    });

    it('two rotations at once leave one live session that both can use', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/login/ada');
      const tabs = [client.tab(), client.tab()];
      await Promise.all(tabs.map(tab => tab.get('/rotate')));
      for (const tab of tabs) assert.equal((await tab.get('/data')).json()['userId'], 'ada');
      assert.equal((await race.remember.sessions.list('ada')).length, 1);
      await race.close();
    });

    it('an update, a write and a rotation under way while the id changes twice find the session', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/login/ada');
      const asked = ['/count', '/add/tea', '/rotate'].map((path, i) => {
        return { answer: client.tab().get(`${path}?early&wait=${i}`), arrived: race.waiting(String(i)) };
      });
      await Promise.all(asked.map(({ arrived }) => arrived));
      await client.get('/rotate');
      await client.get('/rotate');
      for (const i of asked.keys()) race.go(String(i));
      for (const { answer } of asked) assert.equal((await answer).status, 200);
      assert.deepEqual((await client.get('/data')).json(), { visits: 1, cart: ['tea'], userId: 'ada' });
      assert.equal((await race.remember.sessions.list('ada')).length, 1);
      await race.close();
    });

    it('touch against logout: nothing comes back', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/login/ada');
      const slow = client.tab().get('/touch?early&wait=touch');
      await race.waiting('touch');
      const old = client.tab();
      await client.get('/logout');
      race.go('touch');
      assert.deepEqual((await slow).setCookies, []);
      assert.equal((await old.get('/data')).json()['userId'], null);
      await race.close();
    });

    it('touch against login and rotation: the cookie of the old id does not come after the new one', async () => {
      const race = await createRace(await open(), { cookie: { persistent: true } });
      for (const path of ['/login/ada', '/rotate']) {
        const client = race.client();
        await client.get('/add/cake');
        const slow = client.tab().get(`/touch?early&wait=${path}`);
        await race.waiting(path);
        assert.equal((await client.get(path)).setCookies.length, 1);
        race.go(path);
        assert.deepEqual((await slow).setCookies, []);
      }
      await race.close();
    });

    it('C5 a cookie by an older key is made anew, once, and not after that of a login, a rotation or a logout', async () => {
      const store = await open();
      const [old, young] = ['a secret of more than thirty-two bytes', 'another secret of more than thirty-two bytes'];
      const [before, race] = [
        await createRace(store, { secret: old }),
        await createRace(store, { secret: [young, old] }),
      ];
      const visitor = async () => {
        const client = before.client();
        await client.get('/add/cake');
        return client.tab(race.url);
      };
      for (const own of ['/data', '/add/tea', '/reload']) {
        const client = await visitor();
        assert.equal((await client.get(own)).setCookies.length, 1, own);
        assert.equal((await client.get(own)).setCookies.length, 0, own);
        for (const path of ['/login/ada', '/rotate', '/logout']) {
          const changing = await visitor();
          const slow = changing.tab().get(`${own}?early&wait=${own}${path}`);
          await race.waiting(own + path);
          assert.equal((await changing.get(path)).setCookies.length, 1);
          race.go(own + path);
          assert.deepEqual((await slow).setCookies, [], `${own} across ${path}`);
        }
      }
      await Promise.all([race.close(), before.close()]);
    });

    it('logout against rotation: nobody is left logged in', async () => {
      const race = await createRace(await open());
      for (let round = 0; round < 5; round++) {
        const client = race.client();
        await client.get(`/login/user-${round}`);
        const tabs = [client.tab(), client.tab()] as const;
        await Promise.all([tabs[0].get('/rotate'), tabs[1].get('/logout')]);
        assert.equal((await race.remember.sessions.list(`user-${round}`)).length, 0);
        for (const tab of [client, ...tabs]) assert.equal((await tab.get('/data')).json()['userId'], null);
      }
      await race.close();
    });

    it('a change after the response ended is saved, with a warning', async () => {
      const race = await createRace(await open());
      const client = race.client();
      await client.get('/add/cake');
      const warned = once(process, 'warning');
      await client.get('/late/tea');
      assert.equal(((await warned)[0] as { code: string }).code, 'MADELEINE_LATE_CHANGE');
      while ((await client.get('/data')).json<{ cart: string[] }>().cart.length < 2);
      await race.close();
    });
  });
}

it('a logout ends the session before it removes the ids that led to it', async () => {
  const memory = memoryStore();
  const [deleting, deleted] = [gateway(), gateway()];
  const race = await createRace({
    ...faultStore(memory),
    async delete(key) {
      deleting.open();
      await deleted.opened;
      return memory.delete(key);
    },
  });
  const client = race.client();
  await client.get('/login/ada');
  const old = client.tab();
  const logout = old.get('/logout?early&wait=logout');
  await race.waiting('logout');
  await client.get('/rotate');
  race.go('logout');
  await deleting.opened;
  assert.equal((await client.get('/data')).json()['userId'], null);
  deleted.open();
  await logout;
  await race.close();
});

for (const onReuse of ['end', 'report'] satisfies OnReuse[]) {
  const fate = onReuse === 'end' ? 'ends the family' : 'leaves the family alone';
  it(`an old id used after its grace raises an event and ${fate}: onReuse '${onReuse}'`, async () => {
    const clock = createTestClock();
    const race = await createRace(memoryStore({ clock }), { clock, grace: '5s', onReuse });
    const client = race.client();
    await client.get('/login/ada');
    const thief = client.tab();
    await client.get('/rotate');
    let reused = 0;
    race.remember.sessions.on('reused', () => reused++);
    clock.advance('4s');
    assert.equal((await thief.get('/data')).json()['userId'], 'ada');
    assert.equal(reused, 0);
    clock.advance('2s');
    assert.equal((await thief.get('/data')).json()['userId'], null);
    assert.equal(reused, 1);
    assert.equal((await client.get('/data')).json()['userId'], onReuse === 'end' ? null : 'ada');
    await race.close();
  });
}
