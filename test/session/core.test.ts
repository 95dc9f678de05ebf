// A session as its core shows it: its ids, what is written, what is told of it, and what of a store it cannot use.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SessionRecord, SessionStore } from 'madeleine';
import { memoryStore } from 'madeleine/memory';
import { createTestClock, faultStore } from 'madeleine/testing';
import { facts, type Opened, sessionsOver } from '../support/core-sessions.ts';
import { inProduction } from '../support/production.ts';

describe('an id that is taken', () => {
  /** A store that says so of the first keys that it is asked for. */
  function takenAtFirst(times: number): SessionStore {
    const store = faultStore(memoryStore());
    let asked = 0;
    return { ...store, create: async (key, record) => ++asked > times && store.create(key, record) };
  }

  it('is given up for another', async () => {
    const { open, answer } = sessionsOver(takenAtFirst(2));
    const opened = await open();
    const { id } = opened.session;
    opened.session['cart'] = 'tea';
    const cookie = await answer(opened);
    assert.ok(!cookie?.includes(id));
    assert.equal((await open(cookie)).session['cart'], 'tea');
  });

  it('again and again, as a source of random numbers gives them that repeats itself, is an error, and opens nothing', async () => {
    const { open, answer } = sessionsOver(takenAtFirst(Number.POSITIVE_INFINITY));
    const begun = await open();
    begun.session['cart'] = 'tea';
    await assert.rejects(answer(begun), { code: 'ERR_CONFLICT', message: /already taken/ });
    await assert.rejects((await open()).session.login('ada'), { code: 'ERR_CONFLICT', message: /already taken/ });
  });

  it('by our own write, which a driver has sent twice, is ours', async () => {
    const inner = memoryStore();
    const store = faultStore(inner, ({ operation }) => (operation === 'create' ? { kind: 'twice' } : null));
    const { open, begin } = sessionsOver(store);
    const cookie = await begin({ cart: 'tea' });
    assert.equal((await open(cookie)).session['cart'], 'tea');
    assert.equal((await inner.admin.page(null, 10)).entries.length, 1);
  });
});

it('a store that answers with nothing like a record is told as poison, and the visitor is a stranger', async () => {
  for (const odd of [undefined, 'text', 7, []]) {
    const store = { ...faultStore(memoryStore()), read: () => odd as never };
    const { sessions, open, begin } = sessionsOver(store);
    let told = 0;
    sessions.on('poison', () => void told++);
    assert.deepEqual({ ...(await open(await begin({ cart: 'tea' }))).session }, {});
    assert.equal(told, 1);
  }
});

describe('a session whose stored data is damaged', () => {
  async function damaged() {
    const store = memoryStore();
    const { sessions, open, answer } = sessionsOver(store);
    const begun = await open();
    await begun.session.login('ada');
    const key = begun.session.about.handle as string;
    const cookie = (await answer(begun)) as string;
    const record = (await store.read(key)) as SessionRecord;
    await store.replace(key, { ...record, data: '{"cart":', version: record.version + 1 }, record.version);
    return { sessions, open, answer, key, store, cookie };
  }

  it("is nobody's to a guard, as to a handler", async () => {
    const { sessions, open, answer, cookie } = await damaged();
    let told = 0;
    sessions.on('poison', () => void told++);
    const opened = await open(cookie);
    assert.equal(opened.visitor(), null);
    assert.equal(opened.session.about.userId, null);
    assert.equal(await answer(opened), undefined);
    assert.equal(told, 1);
  });

  const ends: Record<string, (session: Opened['session']) => Promise<void>> = {
    'logout()': session => session.logout(),
    'a login': session => session.login('ada'),
    'regenerate()': session => session.regenerate(),
  };
  for (const [name, end] of Object.entries(ends)) {
    it(`ends with ${name}, and is not there again once what damaged it is undone`, async () => {
      const { open, answer, store, key, cookie } = await damaged();
      const opened = await open(cookie);
      await end(opened.session);
      assert.notEqual(await answer(opened), undefined);
      assert.equal(await store.read(key), null);
      assert.deepEqual((await open(cookie)).visitor(), null);
    });
  }
});

it('what JSON cannot hold is in the way of neither regenerate() nor logout()', async () => {
  const { open, answer, begin } = sessionsOver(memoryStore());
  const cookie = await begin({ cart: 'tea' });
  for (const act of ['regenerate', 'logout'] as const) {
    const opened = await open(act === 'regenerate' ? cookie : await begin({ cart: 'tea' }));
    opened.session['itself'] = opened.session;
    await opened.session[act]();
    opened.session['theme'] = 'dark';
    const next = await answer(opened);
    assert.deepEqual({ ...(await open(next)).session }, { theme: 'dark' });
  }
});

it('the events tell a session that is not there from one whose time is over, and from a visitor without any', async () => {
  const clock = createTestClock();
  const store = memoryStore({ clock: () => 0 });
  const { sessions, open, begin } = sessionsOver(store, clock);
  const told: string[] = [];
  for (const name of ['unknown', 'expired', 'forged', 'poison'] as const) sessions.on(name, () => void told.push(name));
  const gone = await begin({ cart: 'tea' });
  await store.delete((await open(gone)).session.about.handle as string);
  const old = await begin({ cart: 'tea' });
  clock.advance('25h');
  for (const cookie of [undefined, '', 'theme=dark', gone, old, `${gone}x`]) await open(cookie);
  assert.deepEqual(told, ['unknown', 'expired', 'forged']);
});

it('the events tell of each new id, under one tag for each session', async () => {
  const { sessions, open, answer, begin } = sessionsOver(memoryStore());
  const told: Array<[what: string, tag: string]> = [];
  for (const name of ['created', 'ended'] as const) sessions.on(name, ({ tag }) => void told.push([name, tag]));
  sessions.on('renewed', ({ reason, tag }) => void told.push([reason, tag]));
  let cookie = await begin({ cart: 'tea' });
  for (const act of ['rotate', 'login', 'regenerate'] as const) {
    const opened = await open(cookie);
    await (act === 'login' ? opened.session.login('ada') : opened.session[act]());
    opened.session['theme'] = 'dark';
    cookie = (await answer(opened)) as string;
  }
  await (await open(cookie)).session.logout();
  assert.deepEqual(
    told.map(([what]) => what),
    ['created', 'rotate', 'login', 'regenerate', 'created', 'ended'],
  );
  const tags = told.map(([, tag]) => tag);
  assert.equal(new Set(tags).size, 4);
  assert.equal(new Set(tags.slice(3)).size, 1, 'the last session: given its id, stored, ended');
});

it('about tells whether the session is stored yet', async () => {
  const { open, begin } = sessionsOver(memoryStore());
  assert.equal((await open()).session.about.isNew, true);
  for (const act of ['regenerate', 'logout'] as const) {
    const opened = await open(await begin({ cart: 'tea' }));
    assert.equal(opened.session.about.isNew, false);
    await opened.session[act]();
    assert.equal(opened.session.about.isNew, true);
  }
});

it('about tells when the person has logged in, and no such time of an anonymous visitor', async () => {
  const clock = createTestClock();
  const { open, answer, begin } = sessionsOver(memoryStore({ clock }), clock);
  const opened = await open(await begin({ cart: 'tea' }));
  assert.equal(opened.session.about.authenticatedAt, null);
  clock.advance('1m');
  await opened.session.login('ada');
  const later = await open(await answer(opened));
  assert.equal(later.session.about.authenticatedAt?.getTime(), clock());
});

it('what was saved is not written again, and a change that is taken back after that is', async () => {
  const store = faultStore(memoryStore());
  const { open, answer, begin } = sessionsOver(store);
  const cookie = await begin({ theme: 'light' });
  const written = () => store.calls.filter(({ operation }) => operation === 'replace').length;
  const opened = await open(cookie);
  opened.session['theme'] = 'dark';
  await opened.session.save();
  await opened.session.save();
  assert.equal(written(), 1);
  opened.session['theme'] = 'light';
  await answer(opened);
  assert.equal((await open(cookie)).session['theme'], 'light');
});

describe('update() of a visitor without a session', () => {
  it('that puts nothing in begins none', async () => {
    const store = memoryStore();
    const { open, answer } = sessionsOver(store);
    const opened = await open();
    assert.equal(await opened.session.update(() => 'seen'), 'seen');
    assert.equal(await answer(opened), undefined);
    assert.equal((await store.admin.page(null, 10)).entries.length, 0);
  });

  it('says so where the store fails, whenever that is', async () => {
    const { open } = sessionsOver(faultStore(memoryStore(), () => ({ kind: 'fail' })));
    const { session } = await open();
    const changing = session.update(data => Object.assign(data, { visits: 1 }));
    await assert.rejects(changing, { code: 'ERR_STORE_FAILED' });
  });
});

it('login() takes no list for a user id, as ?user[]=ada gives one, and nothing else that is neither text nor a number', async () => {
  const { open } = sessionsOver(memoryStore());
  for (const user of [[], ['ada'], {}, null, undefined, true, Number.NaN, '']) {
    const { session } = await open();
    await assert.rejects(session.login(user as never), { code: 'ERR_OPTION_INVALID' });
    assert.equal(session.about.userId, null);
  }
});

it('warns once for each code; in production only of what is told everywhere', async context => {
  const { sessions } = sessionsOver(memoryStore());
  const warned = context.mock.method(process, 'emitWarning', () => {});
  await inProduction(() => {
    sessions.warn('MADELEINE_ONE', 'one');
    assert.equal(warned.mock.callCount(), 0);
    for (let time = 0; time < 2; time++) sessions.warn('MADELEINE_ZERO', 'zero', 'everywhere');
  });
  for (const code of ['MADELEINE_ONE', 'MADELEINE_ONE', 'MADELEINE_TWO']) sessions.warn(code, 'one');
  assert.equal(warned.mock.callCount(), 3);
});

it('a key with the name of a method is kept, with a warning: where it is not set it would count as true', async context => {
  const warned = context.mock.method(process, 'emitWarning', () => {});
  const { begin, open } = sessionsOver(memoryStore());
  const cookie = await begin({ loggedIn: true });
  assert.equal(warned.mock.callCount(), 0);
  await begin({ login: 'ada' });
  assert.match(String(warned.mock.calls[0]?.arguments[0]), /"login".*session\.login is ours/);
  assert.equal(typeof (await open(cookie)).session['login'], 'function');
});

it('the sessions of nobody in particular are neither listed nor ended', async () => {
  const { sessions, open, answer } = sessionsOver(memoryStore());
  const opened = await open();
  await opened.session.login('null');
  await answer(opened);
  for (const nobody of [null, undefined, '', { id: 1 }] as unknown as string[]) {
    await assert.rejects(sessions.list(nobody), { code: 'ERR_OPTION_INVALID', message: /^list\(\) / });
    await assert.rejects(sessions.revokeAll(nobody), { code: 'ERR_OPTION_INVALID', message: /^revokeAll\(\) / });
  }
  assert.equal((await sessions.list('null')).length, 1);
});

it('where no response follows, what failed and nobody awaited is told as an event', async () => {
  const { sessions, begin } = sessionsOver(memoryStore());
  const told = new Promise<{ error: unknown }>(resolve => sessions.on('failed', resolve));
  const opened = await sessions.open(await begin({ cart: 'tea' }), { ...facts, unanswered: true });
  const error = new Error('no');
  void opened.session.update(() => {
    throw error;
  });
  assert.equal((await told).error, error);
  assert.equal(opened.failed, false);
});
