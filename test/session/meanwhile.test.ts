// What becomes of a request whose session others rotate, end, replace or spoil while it is under way.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSessions, type SessionRecord, type SessionStore } from 'madeleine';
import { memoryStore } from 'madeleine/memory';
import { createTestClock, faultStore } from 'madeleine/testing';
import { type Data, type Opened, secret, sessionsOver } from '../support/core-sessions.ts';

it('a request with an id that another has just rotated has none to show, and makes none: what it saves is kept', async () => {
  const { open, answer, begin } = sessionsOver(memoryStore());
  const before = await begin({ cart: 'tea' });
  const rotating = await open(before);
  await rotating.session.rotate();
  const after = (await answer(rotating)) as string;
  const late = await open(before);
  assert.equal(late.session.id, '');
  assert.equal(late.identify(), '');
  late.session['theme'] = 'dark';
  assert.equal(await answer(late), undefined);
  assert.deepEqual({ ...(await open(after)).session }, { cart: 'tea', theme: 'dark' });
});

describe('a login', () => {
  it('of a visitor whose id was asked for before anything was stored takes along what they put in', async () => {
    const { open, answer } = sessionsOver(memoryStore());
    const opened = await open();
    assert.match(opened.session.id, /^[\w-]{43}$/);
    opened.session['cart'] = 'tea';
    await opened.session.login('ada');
    assert.deepEqual({ ...opened.session }, { cart: 'tea' });
    assert.deepEqual({ ...(await open(await answer(opened))).session }, { cart: 'tea' });
  });

  it('of a session whose record has vanished meanwhile stands, without what was in it', async () => {
    const store = memoryStore();
    const { open, answer, begin } = sessionsOver(store);
    const opened = await open(await begin({ cart: 'tea' }));
    await store.delete(opened.session.about.handle as string);
    await opened.session.login('ada');
    assert.deepEqual({ ...opened.session }, {});
    const { session } = await open(await answer(opened));
    assert.equal(session.about.userId, 'ada');
    assert.deepEqual({ ...session }, {});
  });
});

describe('a stored text that somebody else has spoilt meanwhile holds nothing, and is in the way of nothing', () => {
  const put = (data: Data) => Object.assign(data, { theme: 'dark' });
  const acts: Record<string, (session: Opened['session']) => unknown> = {
    'a save': session => put(session) && session.save(),
    'an update': session => session.update(put),
    'a login': session => put(session) && session.login('ada'),
    'a login that keeps some of it': session => put(session) && session.login('ada', { keep: ['theme'] }),
  };
  for (const [name, act] of Object.entries(acts)) {
    for (const data of ['{"a":', '[1]', 'null']) {
      it(`${name}, over ${data}`, async () => {
        const store = memoryStore();
        const { open, answer, begin } = sessionsOver(store);
        const cookie = await begin({ cart: 'tea' });
        const opened = await open(cookie);
        const key = opened.session.about.handle as string;
        const record = (await store.read(key)) as SessionRecord;
        await store.replace(key, { ...record, data, version: record.version + 1 }, record.version);
        await act(opened.session);
        const { session } = await open((await answer(opened)) ?? cookie);
        assert.equal(session['theme'], 'dark');
      });
    }
  }
});

it('an old id whose session would be over by now is no sign of theft', async () => {
  const clock = createTestClock();
  // As a store that is pruned now and then, and does not look at the time itself.
  const { sessions, open, answer, begin } = sessionsOver(memoryStore({ clock: () => 0 }), clock);
  const reused: unknown[] = [];
  sessions.on('reused', event => void reused.push(event));
  const before = await begin({ cart: 'tea' });
  const rotating = await open(before);
  await rotating.session.rotate();
  await answer(rotating);
  clock.advance('25h');
  assert.deepEqual({ ...(await open(before)).session }, {});
  assert.deepEqual(reused, []);
});

describe('a request whose session another has ended, or logged in, meanwhile', () => {
  const others: Record<string, (session: Opened['session']) => Promise<void>> = {
    'a login': session => session.login('ada'),
    'a logout': session => session.logout(),
  };
  for (const [name, other] of Object.entries(others)) {
    for (const own of ['regenerate', 'logout'] as const) {
      it(`${name}, then ${own}(): its answer leaves the browser's cookie alone`, async () => {
        const { open, answer, begin } = sessionsOver(memoryStore());
        const cookie = await begin({ cart: 'tea' });
        const [first, second] = [await open(cookie), await open(cookie)];
        await other(first.session);
        await second.session[own]();
        // What is put in after regenerate() begins a session; after a logout it must not take the place of the newer one.
        if (own === 'logout') second.session['theme'] = 'dark';
        assert.equal(await answer(second), undefined);
      });
    }

    it(`${name}, then save(): an error where something was put in, for who waits for it`, async () => {
      const { sessions, open, answer, begin } = sessionsOver(memoryStore());
      const dropped: unknown[] = [];
      sessions.on('dropped', event => void dropped.push(event));
      const cookie = await begin({ cart: 'tea' });
      const [first, second, third] = [await open(cookie), await open(cookie), await open(cookie)];
      await other(first.session);
      await third.session.save();
      assert.equal(dropped.length, 0);

      second.session['theme'] = 'dark';
      void second.session.save();
      await assert.rejects(second.session.save(), { code: 'ERR_SESSION_ENDED', status: 409 });
      const told = await new Promise(resolve => void second.session.save(resolve));
      assert.equal((told as { code: string }).code, 'ERR_SESSION_ENDED');
      if (name === 'a login') await second.session.login('bob');
      else await second.session.regenerate();
      second.session['theme'] = 'dark';
      await second.session.save();
      assert.equal(dropped.length, 1);
      assert.equal({ ...(await open(await answer(second))).session }['theme'], 'dark');
    });

    it(`${name}, then update() or reload(): an error, and nothing is begun`, async () => {
      const store = memoryStore();
      const { open, answer, begin } = sessionsOver(store);
      for (const theme of [undefined, 'dark']) {
        const cookie = await begin({ cart: 'tea' });
        const [first, second] = [await open(cookie), await open(cookie)];
        if (theme) second.session['theme'] = theme;
        await other(first.session);
        const before = (await store.admin.page(null, 10)).entries.length;
        const changing = second.session.update(data => Object.assign(data, { visits: 1 }));
        await assert.rejects(changing, { code: 'ERR_SESSION_ENDED' });
        await assert.rejects(second.session.reload(), { code: 'ERR_SESSION_ENDED' });
        assert.equal(await answer(second), undefined);
        assert.equal((await store.admin.page(null, 10)).entries.length, before);
      }
    });
  }

  it('reload() shows what others wrote, also under an id that they gave it', async () => {
    const { open, answer, begin } = sessionsOver(memoryStore());
    const cookie = await begin({ visits: 1 });
    const [first, second] = [await open(cookie), await open(cookie)];
    assert.equal(second.session['visits'], 1);
    for (const visits of [2, 3]) {
      Object.assign(first.session, { visits, cart: Array(visits).fill('tea') });
      await first.session.save();
      if (visits === 3) await first.session.rotate();
      await second.session.reload();
      assert.equal(second.session['visits'], visits);
    }
    second.session['visits'] = 4;
    assert.equal(await answer(second), undefined);
    const { session } = await open(await answer(first));
    assert.deepEqual({ ...session }, { visits: 4, cart: ['tea', 'tea', 'tea'] });
  });
});

it('after a logout that the store has not let finish, the visitor begins anew', async () => {
  const store = faultStore(memoryStore(), ({ operation }) => (operation === 'delete' ? { kind: 'fail' } : null));
  const { open, answer, begin } = sessionsOver(store);
  const cookie = await begin({ cart: 'tea' });
  await assert.rejects((await open(cookie)).session.logout(), { code: 'ERR_STORE_FAILED' });
  const opened = await open(cookie);
  assert.deepEqual({ ...opened.session }, {});
  opened.session['theme'] = 'dark';
  assert.deepEqual({ ...(await open(await answer(opened))).session }, { theme: 'dark' });
});

it('what a login leaves under the old id is gone after the grace; what a rotation leaves tells of theft as long as the session can live', async () => {
  for (const [act, left] of [['login', 0] as const, ['rotate', 1] as const]) {
    const clock = createTestClock();
    const store = memoryStore({ clock });
    const { sessions, open, begin } = sessionsOver(store, clock);
    const { session } = await open(await begin({ cart: 'tea' }));
    await session[act]('ada' as never);
    clock.advance('11s');
    await sessions.prune();
    assert.equal((await store.admin.page(null, 10)).entries.length, 1 + left, act);
  }
});

it('tombstones that lead in a circle lead nowhere, and hold up nobody', async () => {
  const store = memoryStore();
  const { open, answer, begin } = sessionsOver(store);
  const acts: Array<(session: Opened['session']) => Promise<unknown>> = [
    session => Promise.resolve(Object.assign(session, { theme: 'dark' })),
    session => session.reload(),
    session => session.rotate(),
    session => session.login('ada'),
    session => session.logout(),
  ];
  for (const act of acts) {
    const cookie = await begin({ cart: 'tea' });
    const opened = await open(cookie);
    const key = opened.session.about.handle as string;
    const record = (await store.read(key)) as SessionRecord;
    const data = JSON.stringify({ reason: 'rotated', at: Date.now() });
    await store.replace(key, { ...record, data, version: record.version + 1, successor: key }, record.version);
    assert.deepEqual({ ...(await open(cookie)).session }, {});
    await act(opened.session).catch(error => assert.equal(error.code, 'ERR_SESSION_ENDED'));
    await answer(opened);
  }
});

describe('what a handler changes while a call on its session is under way', () => {
  const merge = { visits: 'sum' } as const;

  it('is put to the result of an update() by the rules of its keys', async () => {
    const { open, answer, begin } = sessionsOver(memoryStore(), undefined, { merge });
    const cookie = await begin({ visits: 1, flash: { info: ['taken'] } });
    const opened = await open(cookie);
    const updating = opened.session.update(data => {
      Object.assign(data, { visits: 4, flash: { info: ['taken', 'new'] } });
    });
    opened.session['visits'] = 11;
    delete opened.session['flash'];
    await updating;
    const expected = { visits: 14, flash: { info: ['new'] } };
    assert.deepEqual({ ...opened.session }, expected);
    await answer(opened);
    assert.deepEqual({ ...(await open(cookie)).session }, expected);
  });

  it('stands where the rule of its key throws: the update() has been stored all the same', async () => {
    const throwing = () => {
      throw new Error('undecided');
    };
    const { open, begin } = sessionsOver(memoryStore(), undefined, { merge: { theme: throwing } });
    const opened = await open(await begin({ theme: 'light' }));
    const updating = opened.session.update(data => Object.assign(data, { theme: 'dark', visits: 1 }));
    opened.session['theme'] = 'blue';
    await updating;
    assert.deepEqual({ ...opened.session }, { theme: 'blue', visits: 1 });
  });

  it('is put to what others had written before a login by the rules of its keys', async () => {
    const { open, answer, begin } = sessionsOver(memoryStore(), undefined, { merge });
    const cookie = await begin({ visits: 1 });
    const [first, second] = [await open(cookie), await open(cookie)];
    first.session['visits'] = 4;
    await answer(first);
    second.session['cart'] = 'tea';
    await second.session.save();
    const loggingIn = second.session.login('ada');
    second.session['visits'] = 11;
    await loggingIn;
    assert.deepEqual({ ...(await open(await answer(second))).session }, { visits: 14, cart: 'tea' });
  });
});

describe('behind a store that takes its time', () => {
  it('a save whose turn comes when the id is given up follows a rotation, and is dropped by a login', async () => {
    for (const act of ['rotate', 'login'] as const) {
      const inner = faultStore(memoryStore());
      let meanwhile: (() => void) | null = null;
      const store: SessionStore = {
        ...inner,
        async replace(...change) {
          const answer = await inner.replace(...change);
          setImmediate(() => meanwhile?.());
          // Whatever asks now waits in line until this has answered.
          await new Promise(resolve => setImmediate(() => setImmediate(resolve)));
          return answer;
        },
      };
      const { open, answer, begin } = sessionsOver(store);
      const cookie = await begin({ cart: 'tea' });
      const [first, second] = [await open(cookie), await open(cookie)];
      // The name of what a tombstone holds: into that it must not get.
      second.session['reason'] = 'gift';
      let saving: Promise<void> | undefined;
      meanwhile = () => {
        saving ??= second.session.save();
      };
      await first.session[act]('ada' as never);
      if (act === 'rotate') await saving;
      else await assert.rejects(saving as Promise<void>, { code: 'ERR_SESSION_ENDED' });
      assert.equal(await answer(second), undefined);
      const kept = act === 'rotate' ? { cart: 'tea', reason: 'gift' } : {};
      assert.deepEqual({ ...(await open(cookie)).session }, kept);
      assert.deepEqual({ ...(await open(await answer(first))).session }, { cart: 'tea', ...kept });
    }
  });

  it('a save that waited for another and then failed says so, and the next one goes through', async () => {
    const store = faultStore(memoryStore());
    const { open, begin } = sessionsOver(store);
    const cookie = await begin({ cart: 'tea' });
    const [first, second] = [await open(cookie), await open(cookie)];
    first.session['theme'] = 'dark';
    second.session['visits'] = 1;
    store.plan(({ operation, index }) =>
      operation !== 'replace' ? null : index === 0 ? { kind: 'late', time: 1 } : { kind: 'fail' },
    );
    const [saved, failed] = [first.session.save(), second.session.save()];
    await saved;
    await assert.rejects(failed, { code: 'ERR_STORE_FAILED' });
    store.plan(() => null);
    await second.session.save();
    assert.deepEqual({ ...(await open(cookie)).session }, { cart: 'tea', theme: 'dark', visits: 1 });
  });

  it('close() is done when the store has closed', async () => {
    let closed = false;
    const close = async () => {
      await new Promise(resolve => setImmediate(resolve));
      closed = true;
    };
    await createSessions({ secret, store: { ...faultStore(memoryStore()), close } }).close();
    assert.ok(closed);
  });
});
