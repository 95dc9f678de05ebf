// What several requests do to one session at the same moment.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, it } from 'node:test';
import type { SessionRecord, SessionStore } from 'madeleine';
import { memoryStore } from 'madeleine/memory';
import { createTestClock, faultStore } from 'madeleine/testing';
import { type Opened, sessionsOver } from '../support/core-sessions.ts';

/** The first write is answered a little later, so that those that come meanwhile go together in the second. */
const slowAtFirst = (second?: 'drop') =>
  faultStore(memoryStore(), ({ operation, index }) => {
    if (operation !== 'replace') return null;
    if (index === 0) return { kind: 'late', time: 1 };
    return index === 1 && second ? { kind: second } : null;
  });

const add = (session: Opened['session'], item: string) => void (session['cart'] as string[]).push(item);

describe('regenerate(keep), while another request', () => {
  const others: Record<string, { act: (session: Opened['session']) => unknown; kept: object; cookie: boolean }> = {
    'adds to what is kept': {
      act: session => add(session, 'cake'),
      kept: { cart: ['tea', 'cake', 'jam'] },
      cookie: true,
    },
    'logs out': { act: session => session.logout(), kept: {}, cookie: false },
    'logs in': { act: session => session.login('ada'), kept: {}, cookie: false },
  };
  for (const [name, { act, kept, cookie }] of Object.entries(others)) {
    it(name, async () => {
      const { open, answer, begin } = sessionsOver(memoryStore());
      const before = await begin({ cart: ['tea'], theme: 'dark' });
      const [first, second] = [await open(before), await open(before)];
      add(second.session, 'jam');
      await act(first.session);
      await answer(first);
      await second.session.regenerate(['cart']);
      assert.deepEqual({ ...second.session }, kept);
      const after = await answer(second);
      assert.equal(after !== undefined, cookie);
      if (after !== undefined) assert.deepEqual({ ...(await open(after)).session }, kept);
    });
  }

  it('refuses what is no list of keys: a text would keep each key that is a part of it', async () => {
    const { open, begin } = sessionsOver(memoryStore());
    const { session } = await open(await begin({ cart: 'tea', art: 'still life' }));
    const keys = 'cart' as unknown as string[];
    await assert.rejects(session.regenerate(keys), {
      code: 'ERR_OPTION_INVALID',
      message: /"keep" is not a list of keys/,
    });
    assert.deepEqual({ ...session }, { cart: 'tea', art: 'still life' });
  });
});

it('a write that several share, and whose answer is lost, is known by each of them for its own', async () => {
  const store = slowAtFirst('drop');
  const { open, answer, begin } = sessionsOver(store);
  const cookie = await begin({ cart: ['tea'] });
  const all = await Promise.all(['1', '2', '3', '4'].map(async item => ({ item, opened: await open(cookie) })));
  const saves = all.map(({ item, opened }) => {
    add(opened.session, item);
    return opened.session.save();
  });
  const lost = (await Promise.allSettled(saves)).filter(({ status }) => status === 'rejected');
  assert.equal(lost.length, 3);
  for (const { opened } of all) await answer(opened);
  assert.deepEqual((await open(cookie)).session['cart'], ['tea', '1', '2', '3', '4']);
});

describe('update() by a function that changes nothing', () => {
  it('is given what others wrote since the request began', async () => {
    const { open, answer, begin } = sessionsOver(memoryStore());
    const cookie = await begin({ cart: ['tea'] });
    const [first, second] = [await open(cookie), await open(cookie)];
    add(first.session, 'cake');
    await answer(first);
    assert.equal(await second.session.update(data => (data['cart'] as string[]).length), 2);
  });

  it('fails where another request has logged out since', async () => {
    const { open, begin } = sessionsOver(memoryStore());
    const cookie = await begin({ admin: true });
    const [first, second] = [await open(cookie), await open(cookie)];
    await first.session.logout();
    await assert.rejects(
      second.session.update(data => data['admin']),
      { code: 'ERR_SESSION_ENDED' },
    );
  });
});

describe('what a request changes after it has saved, and has then seen what others wrote, is put to that', () => {
  const looks: Record<string, (session: Opened['session']) => Promise<unknown>> = {
    'by reload()': session => session.reload(),
    'by an update() that changes nothing': session => session.update(data => data['cart']),
  };
  for (const [name, look] of Object.entries(looks)) {
    it(name, async () => {
      const { open, answer, begin } = sessionsOver(memoryStore());
      const cookie = await begin({ cart: ['tea'] });
      const [first, second] = [await open(cookie), await open(cookie)];
      add(second.session, 'jam');
      add(first.session, 'cake');
      first.session['theme'] = 'dark';
      await answer(first);
      await second.session.save();
      await look(second.session);
      assert.deepEqual({ ...second.session }, { cart: ['tea', 'cake', 'jam'], theme: 'dark' });
      add(second.session, 'milk');
      delete second.session['theme'];
      await answer(second);
      assert.deepEqual({ ...(await open(cookie)).session }, { cart: ['tea', 'cake', 'jam', 'milk'] });
    });
  }
});

it('a function that waits in line runs in the context of the request that gave it', async () => {
  const context = new AsyncLocalStorage<string>();
  const { open, begin } = sessionsOver(slowAtFirst());
  const cookie = await begin({ visits: 0 });
  const opened = await Promise.all(
    ['1', '2', '3'].map(async name => ({ name, session: (await open(cookie)).session })),
  );
  const seen = opened.map(({ name, session }) =>
    context.run(name, () =>
      session.update(data => {
        data['visits'] = (data['visits'] as number) + 1;
        return context.getStore();
      }),
    ),
  );
  assert.deepEqual(await Promise.all(seen), ['1', '2', '3']);
  assert.equal((await open(cookie)).session['visits'], 3);
});

it('a login or a logout that loses to the writes of another process tries again at once', async context => {
  for (const end of ['login', 'logout'] as const) {
    const inner = memoryStore();
    let others = 5;
    const store: SessionStore = {
      ...faultStore(inner),
      async replace(key, record, expected) {
        const stored = inner.read(key) as SessionRecord;
        if (record.successor !== null && others-- > 0)
          inner.replace(key, { ...stored, version: stored.version + 1 }, stored.version);
        return inner.replace(key, record, expected);
      },
    };
    const { open, begin } = sessionsOver(store);
    const cookie = await begin({ cart: 'tea' });
    const opened = await open(cookie);
    // Nobody lets this clock go on.
    context.mock.timers.enable({ apis: ['setTimeout'] });
    await opened.session[end]('ada' as never);
    context.mock.timers.reset();
    assert.deepEqual({ ...(await open(cookie)).session }, {});
  }
});

describe('revokeAll()', () => {
  async function loggedIn() {
    const store = memoryStore();
    const { sessions, open, answer } = sessionsOver(store);
    const login = async () => {
      const opened = await open();
      await opened.session.login('ada');
      return (await answer(opened)) as string;
    };
    const rotate = async (cookie: string) => {
      const opened = await open(cookie);
      await opened.session.rotate();
      return (await answer(opened)) as string;
    };
    const handleOf = async (cookie: string) => (await open(cookie)).session.about.handle;
    const userOf = async (cookie: string) => (await open(cookie)).session.about.userId;
    return { store, sessions, login, rotate, handleOf, userOf };
  }

  it('ends a session whose id is rotated whenever the store has just looked up the keys', async () => {
    const { store, sessions, login, rotate, userOf } = await loggedIn();
    let cookie = await login();
    store.admin.deleteByUser = async user => {
      const keys = (await store.admin.byUser(user)).map(([key]) => key);
      if (keys.length > 0) cookie = await rotate(cookie);
      let ended = 0;
      for (const key of keys) if ((await store.read(key))?.userId === user && (await store.delete(key))) ended++;
      return ended;
    };
    assert.equal(await sessions.revokeAll('ada'), 1);
    assert.deepEqual(await sessions.list('ada'), []);
    assert.equal(await userOf(cookie), null);
  });

  it('spares the excepted session also where another request has rotated its id since', async () => {
    const { sessions, login, rotate, handleOf, userOf } = await loggedIn();
    const [own, other] = [await login(), await login()];
    const except = await handleOf(own);
    const rotated = await rotate(await rotate(own));
    assert.equal(await sessions.revokeAll('ada', { except }), 1);
    assert.deepEqual([await userOf(rotated), await userOf(other)], ['ada', null]);
  });

  it("spares the excepted session also where its id is rotated right after its user's sessions were looked up", async () => {
    const { store, sessions, login, rotate, handleOf, userOf } = await loggedIn();
    let own = await login();
    const other = await login();
    const except = await handleOf(own);
    const { byUser } = store.admin;
    store.admin.byUser = async user => {
      const found = await byUser(user);
      own = await rotate(await rotate(own));
      return found;
    };
    assert.equal(await sessions.revokeAll('ada', { except }), 1);
    assert.deepEqual([await userOf(own), await userOf(other)], ['ada', null]);
  });
});

describe('a logout by an id that was rotated, and by a login replaced, while its request was under way', () => {
  async function replaced() {
    const { sessions, open, answer, begin } = sessionsOver(memoryStore());
    const told: string[] = [];
    sessions.on('ended', () => void told.push('ended'));
    const before = await begin({ cart: 'tea' });
    const late = await open(before);
    let cookie = before;
    for (const change of ['rotate', 'login'] as const) {
      const opened = await open(cookie);
      await opened.session[change]('ada' as never);
      cookie = (await answer(opened)) as string;
    }
    return { sessions, open, answer, before, late, cookie, told };
  }

  it('ends nothing, tells of no end, and takes no cookie away from the browser', async () => {
    const { open, answer, late, cookie, told } = await replaced();
    await late.session.logout();
    assert.equal(await answer(late), undefined);
    assert.equal((await open(cookie)).session.about.userId, 'ada');
    assert.deepEqual(told, []);
  });

  it('leaves what tells a request with that id that it is late', async () => {
    const { sessions, open, answer, before, late } = await replaced();
    assert.equal(await sessions.revoke(late.session.about.handle as string), false);
    const opened = await open(before);
    opened.session['theme'] = 'dark';
    assert.equal(await answer(opened), undefined);
  });
});

describe('a request that has rotated the id, and answers once another has logged in by the old one', () => {
  const between: Record<string, (session: Opened['session'], theirs: () => Promise<void>) => Promise<void>> = {
    'and changes nothing': async (session, theirs) => {
      await session.rotate();
      await theirs();
    },
    'and has saved what it changed': async (session, theirs) => {
      await session.rotate();
      session['theme'] = 'dark';
      await session.save();
      await theirs();
    },
    'and marks the session as seen': async (session, theirs) => {
      await session.rotate();
      session.touch();
      await theirs();
    },
  };
  for (const [name, act] of Object.entries(between)) {
    it(`${name}, leaves the login's cookie alone`, async () => {
      const { open, answer, begin } = sessionsOver(memoryStore());
      const before = await begin({ cart: ['tea'] });
      const rotating = await open(before);
      let login: string | undefined;
      await act(rotating.session, async () => {
        const opened = await open(before);
        await opened.session.login('ada');
        login = await answer(opened);
      });
      assert.equal(await answer(rotating), undefined);
      assert.equal((await open(login)).session.about.userId, 'ada');
    });
  }

  it('leaves it alone as well where it had its own cookie renewed when it saved', async () => {
    const clock = createTestClock();
    const { open, answer, begin } = sessionsOver(memoryStore({ clock }), clock, { cookie: { persistent: true } });
    const before = await begin({ cart: ['tea'] });
    clock.advance('1h');
    const saving = await open(before);
    add(saving.session, 'cake');
    await saving.session.save();
    const opened = await open(before);
    await opened.session.login('ada');
    const login = await answer(opened);
    assert.equal(await answer(saving), undefined);
    assert.equal((await open(login)).session.about.userId, 'ada');
  });

  it('is asked nothing more once its cookie has left', async () => {
    const store = faultStore(memoryStore());
    const { open, answer, begin } = sessionsOver(store);
    const rotating = await open(await begin({ cart: ['tea'] }));
    await rotating.session.rotate();
    await answer(rotating);
    const before = store.calls.length;
    await rotating.session.save();
    assert.deepEqual(store.calls.slice(before), []);
  });

  it('gives the new id also where the store does not answer when it is asked whether that still stands', async () => {
    const store = faultStore(memoryStore());
    const { open, answer, begin } = sessionsOver(store);
    const rotating = await open(await begin({ cart: ['tea'] }));
    await rotating.session.rotate();
    store.plan(() => ({ kind: 'fail' }));
    const after = await answer(rotating);
    store.plan(() => null);
    assert.deepEqual({ ...(await open(after)).session }, { cart: ['tea'] });
  });
});

describe('a session whose id was rotated many times', () => {
  const TIMES = 50;
  async function rotatedOften() {
    const clock = createTestClock();
    const { sessions, open, answer } = sessionsOver(memoryStore({ clock }), clock);
    const first = await open();
    await first.session.login('ada');
    const before = (await answer(first)) as string;
    const underWay = await open(before);
    let cookie = before;
    for (let time = 0; time < TIMES; time++) {
      const opened = await open(cookie);
      await opened.session.rotate();
      cookie = (await answer(opened)) as string;
    }
    const userNow = async () => (await open(cookie)).session.about.userId;
    return { clock, sessions, open, answer, before, underWay, userNow };
  }

  it('is open to who still has its first id, within the grace', async () => {
    const { open, before } = await rotatedOften();
    assert.equal((await open(before)).session.about.userId, 'ada');
  });

  it('is saved by a request that began before, and lives on', async () => {
    const { underWay, userNow, open, answer, before } = await rotatedOften();
    assert.equal(await underWay.stillLive(), true);
    underWay.session['cart'] = 'tea';
    await underWay.session.save();
    assert.equal(await answer(underWay), undefined);
    assert.equal((await open(before)).session['cart'], 'tea');
    assert.equal(await userNow(), 'ada');
  });

  for (const end of ['login', 'logout'] as const) {
    it(`is ended by the ${end} of a request that began before`, async () => {
      const { underWay, userNow } = await rotatedOften();
      await underWay.session[end]('ada' as never);
      assert.equal(await userNow(), null);
    });
  }

  it('is ended by its first handle, and by the use of its first id after the grace', async () => {
    const revoked = await rotatedOften();
    assert.equal(await revoked.sessions.revoke(revoked.underWay.session.about.handle as string), true);
    assert.equal(await revoked.userNow(), null);

    const stolen = await rotatedOften();
    const told: string[] = [];
    for (const name of ['reused', 'ended'] as const) stolen.sessions.on(name, () => void told.push(name));
    stolen.clock.advance('1m');
    await stolen.open(stolen.before);
    assert.deepEqual(told, ['reused', 'ended']);
    assert.equal(await stolen.userNow(), null);
  });
});
