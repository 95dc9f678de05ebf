// Stores written for express-session, as stores of sessions: what they hold, what they may do wrong, and what is said.
import assert from 'node:assert/strict';
import { describe, it, type TestContext, test } from 'node:test';
import type { SessionRecord, SessionStore } from 'madeleine';
import { type ClassicStore, classicStore } from 'madeleine/classic';
import { memoryStore } from 'madeleine/memory';
import { storeConformance } from 'madeleine/testing';
import { createRace } from '../races/app.js';
import { start } from '../support/process.js';
import { CLASSIC_STORES, openClassic } from './support/classic-stores.js';
import { sampleRecord } from './support/sample-record.js';

for (const { name, open } of CLASSIC_STORES) {
  storeConformance({ name: `classicStore(${name})`, open: () => openClassic(open()) });
}

type Answer = (...args: unknown[]) => void;

/** A store over a Map that keeps what it is given as it is and answers at once; `changes` make it misbehave. */
function looseStore(changes: Partial<ClassicStore> = {}): ClassicStore & { readonly sessions: Map<string, object> } {
  const sessions = new Map<string, object>();
  return {
    sessions,
    get: (id, done) => done(null, sessions.get(id)),
    set: (id, session, done) => {
      sessions.set(id, session);
      done();
    },
    destroy: (id, done) => {
      sessions.delete(id);
      done();
    },
    ...changes,
  };
}

storeConformance({
  name: 'classicStore(a store that answers at once, by reference)',
  open: () => classicStore(looseStore()),
});

/** A visitor of an application over this store, whose session holds a theme. */
async function visit(context: TestContext, store: SessionStore, options: { storeTimeout?: string } = {}) {
  const race = await createRace(store, options as object);
  context.after(() => race.close());
  const events: string[] = [];
  for (const name of ['unknown', 'poison', 'expired'] as const)
    race.remember.sessions.on(name, () => events.push(name));
  const client = race.client();
  assert.equal((await client.get('/set/theme/dark')).status, 200);
  return { race, client, events };
}

describe('what a store for express-session is given', () => {
  const expiresAt = Date.now() + 3_600_000;
  const given = async (changes: Partial<SessionRecord> = {}) => {
    const loose = looseStore();
    await classicStore(loose).create('key', sampleRecord(Date.now(), { expiresAt, ...changes }));
    return loose.sessions.get('key') as { cookie: Record<string, unknown>; madeleine: SessionRecord };
  };

  it('a cookie that says what is left of the session, in every way that a store may ask', async () => {
    const most = expiresAt - Date.now();
    const { cookie } = await given();
    const least = expiresAt - Date.now();
    assert.deepEqual(cookie['expires'], new Date(expiresAt));
    for (const name of ['maxAge', 'originalMaxAge']) {
      const left = Number(cookie[name]);
      assert.ok(left <= most && left >= least, `${name} is ${left}`);
    }
  });

  it('for what has expired never 0, which some take for no limit', async () => {
    const { cookie } = await given({ expiresAt: Date.now() });
    assert.ok(Number(cookie['maxAge']) > 0 && Number(cookie['originalMaxAge']) > 0);
  });

  it('a touch moves the limit of the store and the times of the record', async () => {
    const loose = looseStore();
    const store = classicStore(loose);
    await store.create('key', sampleRecord(Date.now(), { expiresAt }));
    await store.touch('key', Date.now() + 1, expiresAt + 60_000);
    const { cookie, madeleine } = loose.sessions.get('key') as { cookie: { expires: Date }; madeleine: SessionRecord };
    assert.deepEqual([cookie.expires.getTime(), madeleine.expiresAt], [expiresAt + 60_000, expiresAt + 60_000]);
  });

  it('nothing when a session is read', async () => {
    let writes = 0;
    const store = classicStore(looseStore({ set: (_id, _session, done) => done(void writes++) }));
    await store.read('key');
    assert.equal(writes, 0);
  });
});

describe('what a store for express-session may answer', () => {
  const found = (session: unknown) => looseStore({ get: (_id, done) => done(null, session) });

  for (const nothing of [undefined, null, {}, [], '', 'text', 7, { cookie: {} }, { cookie: {}, madeleine: 'text' }]) {
    it(`${JSON.stringify(nothing)}: no session`, async () => {
      assert.equal(await classicStore(found(nothing)).read('key'), null);
    });
  }

  it('records that are none, or have expired: a visitor without a session, never an error', async context => {
    const loose = looseStore();
    const { client, events } = await visit(context, classicStore(loose));
    const [[key, session]] = [...loose.sessions] as [[string, { cookie: object; madeleine: SessionRecord }]];
    for (const wrong of [
      {},
      { ...session.madeleine, data: 7 },
      { ...session.madeleine, version: null },
      { ...session.madeleine, expiresAt: Date.now() - 1 },
      undefined,
    ]) {
      loose.sessions.set(key, { cookie: session.cookie, madeleine: wrong });
      assert.deepEqual((await client.get('/data')).json(), { userId: null });
    }
    assert.deepEqual(events, ['poison', 'poison', 'poison', 'expired', 'unknown']);
  });

  it('writes of one session wait for each other, whenever they come', async () => {
    const later: Array<() => void> = [];
    const { get, ...others } = looseStore();
    const store = classicStore({ ...others, get: (id, done) => void later.push(() => get(id, done)) });
    const settle = () => new Promise(resolve => setImmediate(resolve));
    const answer = async () => {
      for (const one of later.splice(0)) one();
      await settle();
    };
    const inAnHour = Date.now() + 3_600_000;
    const at = (version: number) => sampleRecord(Date.now(), { expiresAt: inAnHour, version });
    const first = store.create('key', at(1));
    const second = store.replace('key', at(2), 1);
    await settle();
    await answer();
    assert.equal(await first, true);
    // The first is over, the second under way.
    const third = store.replace('key', at(3), 1);
    await settle();
    assert.equal(later.length, 1);
    await answer();
    await answer();
    const outcomes = await Promise.all([second, third]);
    assert.deepEqual(
      outcomes.map(({ ok }) => ok),
      [true, false],
    );
  });

  const waiting: Array<(error: unknown) => void> = [];
  const failing: Record<string, Partial<ClassicStore>> = {
    'an error': { get: (_id, done) => done(new Error('down')) },
    'an error that is none': { get: (_id, done) => done('down') },
    'an exception': {
      get() {
        throw new Error('down');
      },
    },
    'a promise that is rejected, and no call': { get: async () => Promise.reject(new Error('down')) },
    'that the socket of its database is missing': {
      get: (_id, done) => done(Object.assign(new Error('down'), { code: 'ENOENT', syscall: 'connect' })),
    },
    'nothing in time': { get: (_id, done) => waiting.push(done) },
  };
  for (const [name, changes] of Object.entries(failing)) {
    it(`${name}: 503, and the session is there when it works again`, async context => {
      const loose = looseStore();
      const { client } = await visit(context, classicStore(loose), { storeTimeout: '200ms' });
      const { get } = loose;
      Object.assign(loose, changes);
      const answer = await client.get('/data');
      assert.equal(answer.status, 503);
      assert.match(answer.body, waiting.length > 0 ? /ERR_STORE_TIMEOUT/ : /ERR_STORE_FAILED/);
      loose.get = get;
      assert.equal((await client.get('/data')).json()['theme'], 'dark');
      for (const done of waiting) done(new Error('too late'));
    });
  }

  it('that a write failed: 503, and the next write succeeds', async context => {
    const loose = looseStore();
    const { client } = await visit(context, classicStore(loose));
    const { set } = loose;
    loose.set = (_id, _session, done) => done(new Error('full'));
    assert.equal((await client.get('/set/theme/light')).status, 503);
    loose.set = set;
    assert.equal((await client.get('/set/theme/red')).status, 200);
    assert.equal((await client.get('/data')).json()['theme'], 'red');
  });

  it('twice: the first answer counts', async () => {
    const twice = looseStore({
      get: (_id, done: Answer) => {
        done(null, { cookie: {}, madeleine: sampleRecord(1) });
        done(new Error('again'));
        done(null, null);
      },
    });
    assert.deepEqual(await classicStore(twice).read('key'), sampleRecord(1));
  });

  it('nothing to a write: it fails in the end, and the writes behind it go on', async context => {
    const loose = looseStore();
    const store = classicStore(loose);
    await store.create('key', sampleRecord(1));
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const { set } = loose;
    const hung = new Promise<void>(resolve => {
      loose.set = () => resolve();
    });
    const first = assert.rejects(async () => store.replace('key', sampleRecord(1, { version: 2 }), 1), {
      code: 'ERR_STORE_TIMEOUT',
    });
    const second = store.replace('key', sampleRecord(1, { version: 2 }), 1);
    await hung;
    loose.set = set;
    context.mock.timers.tick(30_000);
    await first;
    assert.deepEqual(await second, { ok: true });
  });
});

describe('in one process', () => {
  for (const { name, open } of CLASSIC_STORES) {
    it(`${name}: 200 requests at once that each add an item keep 200`, async context => {
      const { client } = await visit(context, classicStore(open()));
      const items = Array.from({ length: 200 }, (_, i) => `item-${i}`);
      await Promise.all(items.map(item => client.tab().get(`/add/${item}`)));
      const { cart } = (await client.get('/data')).json<{ cart: string[] }>();
      context.diagnostic(`kept ${new Set(cart).size} of 200`);
      assert.deepEqual(cart.sort(), items.sort());
    });

    it(`${name}: a request that is under way when another logs out brings nothing back`, async context => {
      const { race, client } = await visit(context, classicStore(open()));
      const late = client.tab().get('/set/late/1?early&wait=late');
      await race.waiting('late');
      const stolen = client.tab();
      await client.get('/logout');
      race.go('late');
      assert.deepEqual((await late).setCookies, []);
      assert.deepEqual((await stolen.get('/data')).json(), { userId: null });
    });
  }
});

describe('classicStore refuses', () => {
  class Later {
    get() {}
    set() {}
    destroy() {}
  }
  const wrong: Array<[name: string, store: unknown, message: RegExp]> = [
    ['nothing', undefined, /lacks get, set, destroy.*Pass the store itself/],
    ['null', null, /lacks get, set, destroy/],
    ['a class', Later, /not its class/],
    ['a client', { get() {}, set() {}, del() {} }, /lacks destroy/],
    ['a store of madeleine', memoryStore(), /which needs no classicStore/],
  ];
  for (const [name, store, message] of wrong) {
    test(name, () => {
      assert.throws(() => classicStore(store as ClassicStore), { code: 'ERR_STORE_INVALID', message });
    });
  }
});

describe('classicStore says what is weaker', () => {
  const script = new URL('./support/classic-warning.js', import.meta.url).pathname;

  it('once in development', async () => {
    const { found, child } = await start(script, { NODE_ENV: '' }, /warnings: (.*)\n/);
    child.kill();
    assert.equal(found, 'MADELEINE_CLASSIC');
  });

  it('never in production', async () => {
    const { found, child } = await start(script, { NODE_ENV: 'production' }, /warnings: (.*)\n/);
    child.kill();
    assert.equal(found, '');
  });
});
