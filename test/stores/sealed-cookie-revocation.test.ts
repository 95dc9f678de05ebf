// Ending sessions that are kept nowhere: a denylist, an epoch for each user, and what happens when these cannot be asked.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { memoryStore } from 'madeleine/memory';
import { sealedCookieStore } from 'madeleine/sealed-cookie';
import { createTestClock, type Fault, type FaultStore, faultStore, type TestClock } from 'madeleine/testing';
import type { Client } from '../support/client.ts';
import { type Opened, sessionsOver } from '../support/core-sessions.ts';
import { openSealed, type SealedApp } from './support/sealed-app.ts';

const userOf = async (client: Client): Promise<unknown> => (await client.get('/data')).json()['userId'];
const DAY = 86_400_000;

describe('sealed cookie with a denylist', () => {
  let app: SealedApp;
  let clock: TestClock;
  let denylist: FaultStore;
  let fault: Fault | null;
  let client: Client;
  beforeEach(async () => {
    fault = null;
    clock = createTestClock();
    denylist = faultStore(memoryStore({ clock }), () => fault);
    app = await openSealed(
      { denylist },
      { idle: '1h', absolute: '7d', grace: '10s', storeTimeout: 50 },
      undefined,
      clock,
    );
    client = app.client();
    await client.get('/put/cart/cake');
  });
  afterEach(() => app.close());
  const entries = async () => (await denylist.admin?.page(null, 100))?.entries ?? [];

  it('E3 C10 a copy made before the logout is refused, and looks like none at all (J5)', async () => {
    await client.get('/login/ada');
    const copy = client.tab();
    await client.get('/logout');
    assert.equal(client.jar.size, 0);
    const [refused, stranger] = [await copy.get('/data'), await app.client().get('/data')];
    const { date: _one, ...headers } = refused.headers;
    const { date: _two, ...expected } = stranger.headers;
    assert.deepEqual([refused.body, headers], [stranger.body, expected]);
    clock.advance('1m');
    assert.equal(await userOf(copy), null);
    assert.equal(app.events.filter(name => name === 'ended').length, 1);
  });

  it('E1 E2 the cookie from before a login is dead, and a request under way with it disturbs nothing', async () => {
    const planted = client.tab();
    await client.get('/login/ada');
    assert.equal((await planted.get('/data')).json()['cart'], undefined);
    assert.deepEqual((await planted.get('/put/cart/poison')).setCookies, []);
    assert.deepEqual((await client.get('/data')).json(), { cart: 'cake', userId: 'ada' });
  });

  for (const [what, done] of [
    ['put', 'a change'],
    ['look', 'a mark as seen'],
  ] as const) {
    for (const meanwhile of ['login/eve', 'logout', 'rotate', 'regenerate'] as const) {
      it(`${done} of a request that was under way during a ${meanwhile} sends no cookie that would come after the newer one`, async () => {
        await client.get('/login/ada');
        clock.advance('4m');
        const finish = await app.hold(client.tab(), `/held/${what}`);
        await client.get(`/${meanwhile}`);
        const jar = new Map(client.jar);
        const late = await finish();
        assert.deepEqual([late.status, late.setCookies], [200, []]);
        assert.equal(app.events.at(-1), what === 'put' ? 'dropped' : meanwhile === 'logout' ? 'ended' : 'renewed');
        clock.advance('11s');
        assert.equal(await userOf(client), { 'login/eve': 'eve', rotate: 'ada' }[meanwhile as string] ?? null);
        assert.deepEqual(client.jar, jar);
        assert.ok(!app.events.includes('reused'));
      });
    }
  }

  it('of two rotations at once one counts, and the other sends no cookie', async () => {
    await client.get('/login/ada');
    const finish = await app.hold(client.tab(), '/held/rotate');
    await client.get('/rotate');
    const late = await finish();
    assert.deepEqual([late.status, late.setCookies], [409, []]);
    clock.advance('11s');
    assert.equal(await userOf(client), 'ada');
    assert.ok(!app.events.includes('reused'));
  });

  it('a logout stays on a denylist that keeps sessions as well, when all of the user are revoked there', async () => {
    await client.get('/login/ada');
    const copy = client.tab();
    await client.get('/logout');
    await denylist.admin?.deleteByUser('ada');
    assert.equal(await userOf(copy), null);
  });

  it('a logout stays on a denylist that visitors flood', async () => {
    const small = await openSealed({ denylist: memoryStore({ clock, maxSessions: 3 }) }, {}, undefined, clock);
    const ada = small.client();
    await ada.get('/login/ada');
    const copy = ada.tab();
    await ada.get('/logout');
    for (let i = 0; i < 5; i++) {
      const visitor = small.client();
      await visitor.get('/put/cart/cake');
      await visitor.get('/logout');
    }
    assert.equal(await userOf(copy), null);
    await small.close();
  });

  it('a copy that was seen later than the one that logged out is refused for as long as it could live', async () => {
    await client.get('/login/ada');
    const early = client.tab();
    clock.advance('50m');
    await client.get('/look');
    await early.get('/logout');
    assert.equal(await userOf(client.tab()), null);
    clock.advance('55m');
    assert.equal(await userOf(client), null, 'of itself it would have lived for 5 minutes more');
    const until = (await entries()).map(([, stone]) => stone.expiresAt - clock());
    assert.ok(
      until.every(left => left > 6 * DAY && left <= 7 * DAY),
      String(until),
    );
  });

  it('rotate: the old cookie reads on for the grace and can change nothing; later it gives away a thief, and the family ends', async () => {
    await client.get('/login/ada');
    const old = client.tab();
    await client.get('/rotate');
    assert.equal(await userOf(old), 'ada');
    assert.deepEqual((await old.get('/put/cart/poison')).setCookies, []);
    assert.equal(app.events.at(-1), 'dropped');
    assert.equal((await old.get('/rotate')).status, 409);
    assert.equal(await userOf(client), 'ada');
    clock.advance('10s');
    assert.equal(await userOf(old), null);
    assert.ok(app.events.includes('reused'));
    assert.equal(await userOf(client), null);
  });

  it('a logout with an id that was rotated a moment ago ends what it became', async () => {
    await client.get('/login/ada');
    const old = client.tab();
    await client.get('/rotate');
    await old.get('/logout');
    assert.equal(await userOf(client), null);
  });

  for (const [how, end] of Object.entries<(handle: string) => Promise<unknown>>({
    'a logout': () => client.get('/logout'),
    'a login as somebody else': () => client.get('/login/eve'),
    'revoke(handle)': handle => app.remember.sessions.revoke(handle),
  })) {
    it(`${how}, a moment after two rotations: the ids from before them are as dead`, async () => {
      await client.get('/login/ada');
      const first = client.tab();
      await client.get('/rotate');
      const second = client.tab();
      await client.get('/rotate');
      for (const old of [first, second]) assert.equal(await userOf(old), 'ada');
      await end((await client.get('/about')).json<{ handle: string }>().handle);
      for (const old of [first, second]) assert.equal(await userOf(old), null);
    });
  }

  it('an epoch counts for an id that was rotated a moment ago, too', async () => {
    let epoch = 0;
    const both = await openSealed({ denylist, epoch: () => epoch }, { grace: '10s' }, undefined, clock);
    const ada = both.client();
    await ada.get('/login/ada');
    const old = ada.tab();
    await ada.get('/rotate');
    assert.equal(await userOf(old), 'ada');
    epoch = Number.POSITIVE_INFINITY;
    assert.equal(await userOf(old), null);
    await both.close();
  });

  it('revoke(handle) ends a session from outside; unknown handles are of no harm', async () => {
    await client.get('/login/ada');
    const { handle } = (await client.get('/about')).json<{ handle: string }>();
    await assert.rejects(async () => app.remember.sessions.list('ada'), { code: 'ERR_STORE_NO_ADMIN' });
    assert.equal(await app.remember.sessions.revoke('nonsense'), false);
    assert.equal(await app.remember.sessions.revoke(handle), true);
    assert.equal(await app.remember.sessions.revoke(handle), false);
    assert.equal(await userOf(client), null);
    const left = (await entries()).map(([key, { expiresAt }]) => (key === handle ? expiresAt - clock() : 0));
    assert.ok(Math.max(...left) > 30 * DAY, 'it may be a remembered one');
    clock.advance('8d');
    assert.equal(await app.remember.sessions.revoke(handle), false, 'refused still: another clock may be behind');
    clock.advance('30d');
    assert.ok((await app.remember.sessions.prune()) > 0);
    assert.deepEqual(await entries(), []);
  });

  it('costs one look-up for a request with a session, one more for a change, and none without; C11 forged cookies and expired ones write nothing', async () => {
    const calls = () => denylist.calls.map(call => call.operation).splice(0);
    const before = calls().length;
    await app.client().get('/data');
    const forger = client.tab();
    forger.jar.set('session', `${client.jar.get('session')?.slice(0, -4)}AAAA`);
    assert.deepEqual((await forger.get('/logout')).setCookies, []);
    assert.deepEqual(calls().slice(before), []);
    await client.get('/data');
    assert.deepEqual(calls().slice(before), ['read']);
    await client.get('/put/cart/tea');
    assert.deepEqual(calls().slice(before), ['read', 'read', 'read']);
    clock.advance('1h');
    await client.get('/logout');
    assert.deepEqual(calls().slice(before), ['read', 'read', 'read', 'read']);
    assert.equal(app.events.at(-1), 'expired');
  });

  it('a login or a rotation that could not be written sends no cookie: another request may have given the session a newer one', async () => {
    for (const path of ['/login/ada', '/rotate']) {
      fault = null;
      const failing = client.tab();
      await failing.get('/put/cart/cake');
      denylist.plan(({ operation }) => (operation === 'create' ? { kind: 'fail' } : null));
      const answer = await failing.get(path);
      assert.deepEqual([answer.status, answer.setCookies], [503, []], path);
    }
  });

  it('a login that does not fit into the cookie leaves nothing on the denylist, and tells of its own failure alone', async () => {
    const unlisted = await openSealed();
    const failures: unknown[] = [];
    for (const served of [app, unlisted]) {
      const answer = await served.client().get('/login/ada?fill=20000');
      assert.equal(answer.json()['code'], 'ERR_DATA_TOO_LARGE');
      failures.push(...served.failures.filter(({ code }) => code !== 'ERR_DATA_TOO_LARGE'));
    }
    await unlisted.close();
    assert.deepEqual([failures, await entries()], [[], []]);
  });

  it('G6 a denylist that fails or hangs is a 503, never a session; E3 nor is a logout that could not be written a success', async () => {
    await client.get('/login/ada');
    for (const kind of ['fail', 'hang'] as const) {
      fault = { kind } as Fault;
      const answer = await client.get('/data');
      assert.equal(answer.status, 503);
      assert.ok(!answer.body.includes('cake'));
    }
    fault = null;
    const served = await openSealed(
      {
        denylist: faultStore(memoryStore({ clock }), call =>
          call.operation === 'create' ? ({ kind: 'fail' } as Fault) : null,
        ),
      },
      {},
      undefined,
      clock,
    );
    const other = served.client();
    await other.get('/put/cart/cake');
    const answer = await other.get('/logout');
    assert.equal(answer.status, 503);
    assert.deepEqual(answer.setCookies, []);
    assert.equal((await other.get('/data')).json()['cart'], 'cake');
    assert.equal((await other.get('/try-logout')).body, 'ERR_STORE_FAILED');
    assert.equal((await other.get('/data')).json()['afterwards'], 'kept', 'the session goes on, in this request too');
    await served.close();
  });
});

describe('sealed cookie with an epoch', () => {
  let app: SealedApp;
  let epoch: (userId: string) => number | Promise<number>;
  before(async () => {
    app = await openSealed({ epoch: userId => epoch(userId) }, { storeTimeout: 50 });
  });
  after(() => app.close());

  for (const [name, answer] of [
    ['at once', (time: number) => time],
    ['later', async (time: number) => time],
  ] as const) {
    it(`answers ${name}: what was authenticated before is refused, that user's only; what comes after counts`, async () => {
      epoch = () => answer(0);
      const [ada, eve, visitor] = [app.client(), app.client(), app.client()];
      await ada.get('/login/ada');
      await eve.get('/login/eve');
      await visitor.get('/put/cart/cake');
      app.clock.advance(1);
      const now = app.clock();
      epoch = userId => answer(userId === 'ada' ? now : 0);
      assert.equal(await userOf(ada), null);
      assert.equal(await userOf(eve), 'eve');
      assert.equal((await visitor.get('/data')).json()['cart'], 'cake');
      await ada.get('/login/ada');
      assert.equal(await userOf(ada), 'ada');
      epoch = () => answer(Number.POSITIVE_INFINITY);
      assert.equal(await userOf(eve), null);
      assert.equal((await visitor.get('/data')).json()['cart'], 'cake');
    });
  }

  it('that fails, hangs or answers nonsense lets nobody in', async () => {
    epoch = () => 0;
    const client = app.client();
    await client.get('/login/ada');
    const bad: Array<[number, string, () => unknown]> = [
      [
        503,
        'ERR_STORE_FAILED',
        () => {
          throw new Error('down');
        },
      ],
      [
        503,
        'ERR_STORE_FAILED',
        async () => {
          throw new Error('down');
        },
      ],
      [503, 'ERR_STORE_TIMEOUT', () => new Promise(() => {})],
      [500, 'ERR_OPTION_INVALID', () => undefined],
      [500, 'ERR_OPTION_INVALID', async () => Number.NaN],
    ];
    for (const [status, code, answer] of bad) {
      epoch = answer as typeof epoch;
      const refused = await client.get('/data');
      assert.deepEqual([refused.status, refused.json()['code']], [status, code]);
      if (code === 'ERR_STORE_TIMEOUT') assert.match(refused.json()['message'] as string, /within 50 ms/);
    }
  });

  it('ends nothing by handle', async () => {
    await assert.rejects(app.remember.sessions.revoke('x'.repeat(43)), { code: 'ERR_STORE_NO_ADMIN' });
  });
});

it('a logout ends the session also where a rotation before it, in the same request, is on the denylist and was thought to have failed', async () => {
  const denylist = faultStore(memoryStore());
  const { open, answer, begin } = sessionsOver(memoryStore(), undefined, { store: sealedCookieStore({ denylist }) });
  const cookie = await begin({ cart: 'tea' });
  const opened = await open(cookie);
  // The answer of the write is lost, and the question whether it was done fails too.
  denylist.plan(({ operation }) => ({ kind: operation === 'create' ? 'drop' : 'fail' }));
  await assert.rejects(opened.session.rotate(), { code: 'ERR_STORE_FAILED' });
  denylist.plan(() => null);
  await opened.session.logout();
  assert.equal(await answer(opened), 'session=');
  assert.deepEqual({ ...(await open(cookie)).session }, {});
});

it('a logout ends the session also where another request rotates its id once more as the logout gets there', async () => {
  const kept = memoryStore();
  let before: (key: string) => Promise<void> | undefined = () => undefined;
  const denylist = faultStore({
    ...faultStore(kept),
    async create(key, record) {
      await before(key);
      return kept.create(key, record);
    },
  });
  const { open, answer, begin } = sessionsOver(kept, undefined, { store: sealedCookieStore({ denylist }) });
  const cookie = await begin({ cart: 'tea' });
  const [rotating, ending] = [await open(cookie), await open(cookie)];
  await rotating.session.rotate();
  const second = rotating.session.about.handle;
  before = key => {
    if (key !== second) return;
    before = () => undefined;
    return rotating.session.rotate();
  };
  await ending.session.logout();
  assert.notEqual(rotating.session.about.handle, second);
  assert.equal(await answer(ending), 'session=');
  assert.equal(await answer(rotating), undefined);
});

for (const act of ['login', 'regenerate'] as const) {
  it(`a ${act} by an id that another request has rotated ends the session under its next id, too`, async () => {
    const denylist = memoryStore();
    const { open, answer, begin } = sessionsOver(denylist, undefined, { store: sealedCookieStore({ denylist }) });
    const first = await begin({ cart: 'tea' });
    const [rotating, replacing] = [await open(first), await open(first)];
    await rotating.session.rotate();
    const second = await answer(rotating);
    await replacing.session[act]((act === 'login' ? 'ada' : ['cart']) as never);
    const third = await answer(replacing);
    for (const dead of [first, second]) assert.deepEqual({ ...(await open(dead)).session }, {});
    assert.deepEqual({ ...(await open(third)).session }, { cart: 'tea' });
  });
}

for (const act of ['login', 'logout', 'rotate', 'regenerate'] as const) {
  it(`what a request saves before a ${act} by another sends no cookie that would come after the newer one`, async () => {
    const denylist = memoryStore();
    const { open, answer, begin } = sessionsOver(denylist, undefined, { store: sealedCookieStore({ denylist }) });
    for (const save of [
      (saving: Opened) => saving.session.save(),
      (saving: Opened) => saving.session.update(data => Object.assign(data, { visits: 1 })),
    ]) {
      const cookie = await begin({ cart: 'tea' });
      const [saving, ending] = [await open(cookie), await open(cookie)];
      saving.session['theme'] = 'dark';
      await save(saving);
      await ending.session[act]((act === 'login' ? 'ada' : ['cart']) as never);
      assert.ok(await answer(ending));
      assert.equal(await answer(saving), undefined);
    }
  });
}

it('a logout in the request that has moved the epoch of its user clears the cookie', async () => {
  let epoch = 0;
  const store = sealedCookieStore({ epoch: () => epoch });
  const { open, answer, begin } = sessionsOver(memoryStore(), undefined, { store });
  const opened = await open(await begin({ cart: 'tea' }));
  await opened.session.login('ada');
  const leaving = await open(await answer(opened));
  epoch = Number.POSITIVE_INFINITY;
  await leaving.session.logout();
  assert.equal(await answer(leaving), 'session=');
});

it('a rotation that comes second leaves nothing of its own on the denylist', async () => {
  const denylist = memoryStore();
  const { open, answer, begin } = sessionsOver(denylist, undefined, { store: sealedCookieStore({ denylist }) });
  const cookie = await begin({ cart: 'tea' });
  const [first, second] = [await open(cookie), await open(cookie)];
  await first.session.rotate();
  await answer(first);
  await assert.rejects(second.session.rotate(), { code: 'ERR_SESSION_ENDED' });
  assert.equal((await denylist.admin.page(null, 10)).entries.length, 1);
});
