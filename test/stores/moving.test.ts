// Sessions change their store while they are in use: nobody is logged out, nothing is lost, nothing comes back.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSessions, type Replaced, type SessionRecord, type SessionStore } from 'madeleine';
import { classicStore } from 'madeleine/classic';
import { memoryStore } from 'madeleine/memory';
import { copySessions, movingStore } from 'madeleine/moving';
import { sqliteStore } from 'madeleine/sqlite';
import { createTestClock, faultStore, storeConformance } from 'madeleine/testing';
import { createRace } from '../races/app.js';
import { gateway } from '../support/gateway.js';
import { temporaryFiles } from '../support/temporary-files.js';
import { memorystore } from './support/classic-stores.js';
import { everyOrder, type Process, type Run, someOrders } from './support/every-order.js';
import { runTogether } from './support/processes.js';
import { sampleRecord } from './support/sample-record.js';

const freshFile = temporaryFiles('.db');
const now = Date.now();
const record = (changes: Partial<SessionRecord> = {}) => sampleRecord(now, changes);

/** The same, but what is new begins in the old store, as if it had been there before the move. */
function beginningInOld(from: SessionStore, to: SessionStore): SessionStore {
  const moving = movingStore(from, to);
  const create: SessionStore['create'] = async (key, fresh) =>
    (await moving.read(key)) === null && from.create(key, fresh);
  return { ...moving, create };
}

describe('the contract', () => {
  storeConformance({
    name: 'movingStore(memory, memory)',
    open: ({ clock }) => movingStore(memoryStore({ clock }), memoryStore({ clock })),
  });
  storeConformance({
    name: 'movingStore(memory, memory), begun in the old one',
    open: ({ clock }) => beginningInOld(memoryStore({ clock }), memoryStore({ clock })),
  });
  storeConformance({
    name: 'movingStore(memory, sqlite), begun in the old one',
    open: ({ clock }) => beginningInOld(memoryStore({ clock }), sqliteStore(freshFile())),
  });
  storeConformance({
    name: 'movingStore(sqlite, memory), begun in the old one',
    open: ({ clock }) => beginningInOld(sqliteStore(freshFile()), memoryStore({ clock })),
  });
  storeConformance({
    name: 'movingStore(classic, sqlite), begun in the old one',
    open: () => beginningInOld(classicStore(memorystore()), sqliteStore(freshFile())),
  });
});

describe('every order of two processes whose session is in the old store', () => {
  const replace =
    (data: string): Process =>
    store =>
      Promise.resolve(store.replace('key', record({ version: 2, data }), 1));
  const remove: Process = async store => store.delete('key');
  const touch: Process = async store => store.touch('key', now + 1, now + 7_200_000);
  const readTwice: Process = async store => [await store.read('key'), await store.read('key')];
  const createOther: Process = async store => store.create('key', record({ data: '"new"' }));

  /** A run of these processes, and what a further one reads of the session. */
  async function prepare(
    processes: Process[],
    check: (outcomes: unknown[], left: SessionRecord | null) => void,
    ended?: (process: number, left: SessionRecord | null) => void,
    copied?: SessionRecord,
  ): Promise<Run> {
    const stores = [memoryStore(), memoryStore()] as const;
    await stores[0].create('key', record());
    if (copied) await stores[1].create('key', copied);
    const read = async () => movingStore(...stores).read('key');
    return {
      stores: [...stores],
      async connect(from, to) {
        const moving = movingStore(from!, to!);
        // With the first session it makes sure that the stores are two: that is no part of the matter.
        await stores[0].create('first', record());
        await moving.touch('first', now, now);
        return moving;
      },
      processes,
      ...(ended ? { ended: async (process: number) => ended(process, await read()) } : {}),
      async check(outcomes) {
        const left = await read();
        check(outcomes, left);
        assert.equal(await stores[0].read('key'), null, 'it is still in the old store');
      },
    };
  }

  async function inEveryOrder(
    context: { diagnostic(text: string): void },
    ...run: Parameters<typeof prepare>
  ): Promise<void> {
    context.diagnostic(`${await everyOrder(() => prepare(...run))} orders`);
  }

  const goneOnceDeleted = (deleter: number) => (process: number, left: SessionRecord | null) => {
    if (process === deleter) assert.equal(left, null, 'it was there after its deletion');
  };

  const changedOrGone = ([replaced, removed]: unknown[], left: SessionRecord | null) => {
    assert.deepEqual([left, removed], [null, true]);
    const { ok, current } = replaced as { ok: boolean; current?: unknown };
    assert.ok(ok || current === null);
  };

  it('one changes it, one deletes it: it is gone and stays so', async context => {
    await inEveryOrder(context, [replace('"mine"'), remove], changedOrGone, goneOnceDeleted(1));
  });

  it('one marks it as seen, one deletes it: it is gone and stays so', async context => {
    await inEveryOrder(
      context,
      [touch, remove],
      ([, removed], left) => {
        assert.equal(left, null);
        assert.equal(removed, true);
      },
      goneOnceDeleted(1),
    );
  });

  it('both delete it: one was first', async context => {
    await inEveryOrder(context, [remove, remove], (removed, left) => {
      assert.equal(left, null);
      assert.deepEqual(removed.sort(), [false, true]);
    });
  });

  it('both change it: one wins, and the other is told what stands there', async context => {
    await inEveryOrder(context, [replace('"a"'), replace('"b"')], (outcomes, left) => {
      const won = outcomes.findIndex(outcome => (outcome as Replaced).ok);
      const lost = outcomes[1 - won] as { ok: boolean; current: SessionRecord };
      assert.equal(lost.ok, false);
      assert.deepEqual(lost.current, left);
      assert.equal(left?.data, ['"a"', '"b"'][won]);
    });
  });

  it('one changes it, one marks it as seen: both are kept', async context => {
    await inEveryOrder(context, [replace('"mine"'), touch], (outcomes, left) => {
      assert.deepEqual(outcomes, [{ ok: true }, true]);
      assert.equal(left?.data, '"mine"');
    });
  });

  it('one changes it, one reads: it is always there, and never older than it was', async context => {
    await inEveryOrder(context, [replace('"mine"'), readTwice], ([replaced, reads], left) => {
      assert.deepEqual(replaced, { ok: true });
      assert.equal(left?.version, 2);
      const [first, second] = reads as Array<SessionRecord | null>;
      assert.ok(first && second && first.version <= second.version);
    });
  });

  it('one deletes it, one reads: once gone it is gone', async context => {
    await inEveryOrder(context, [remove, readTwice], ([, reads], left) => {
      assert.equal(left, null);
      const [first, second] = reads as Array<SessionRecord | null>;
      assert.ok(first !== null || second === null);
    });
  });

  it('one deletes it, one begins a new one under its key: the new one is there if it was acknowledged last', async context => {
    await inEveryOrder(context, [remove, createOther], ([removed, created], left) => {
      assert.equal(removed, true);
      if (left !== null) assert.deepEqual([created, left.data], [true, '"new"']);
    });
  });

  it('one changes and then deletes it, one changes it: it is gone and stays so', async context => {
    const changeAndRemove: Process = async store => {
      await store.replace('key', record({ version: 2 }), 1);
      return store.delete('key');
    };
    await inEveryOrder(
      context,
      [changeAndRemove, replace('"late"')],
      (_, left) => assert.equal(left, null),
      goneOnceDeleted(0),
    );
  });

  it('an earlier copy is in the new one, one changes the session, one deletes it: it is gone and stays so', async context => {
    const copied = record({ version: 0, data: '"copied"' });
    await inEveryOrder(context, [replace('"mine"'), remove], changedOrGone, goneOnceDeleted(1), copied);
  });

  it('an earlier copy is in the new one, one changes the session, one reads: nobody sees the copy', async context => {
    const copied = record({ version: 0, data: '"copied"' });
    const check = ([replaced, reads]: unknown[]) => {
      assert.deepEqual(replaced, { ok: true });
      const [first, second] = reads as SessionRecord[];
      assert.ok(1 <= first!.version && first!.version <= second!.version);
    };
    await inEveryOrder(context, [replace('"mine"'), readTwice], check, undefined, copied);
  });

  it('two change it, one deletes it, in a thousand of the orders: it is gone and stays so', async () => {
    await someOrders(1_000, () =>
      prepare([replace('"a"'), remove, touch], (_, left) => assert.equal(left, null), goneOnceDeleted(1)),
    );
  });

  it('three change it, in a thousand of the orders: one wins', async () => {
    await someOrders(1_000, () =>
      prepare([replace('"a"'), replace('"b"'), replace('"c"')], (outcomes, left) => {
        const won = outcomes.filter(outcome => (outcome as Replaced).ok);
        assert.deepEqual([won.length, left?.version], [1, 2]);
      }),
    );
  });

  it('a claim is that of one process: another that comes late takes a place that is not the same', async () => {
    const { stores } = await prepare([], () => {});
    const [from, to] = stores as [SessionStore, SessionStore];
    /** The new store, the first such call of which waits. */
    const before = (operation: 'create' | 'replace', wait: () => Promise<unknown>): SessionStore => {
      let waited = false;
      return {
        ...faultStore(to),
        [operation]: async (key: string, fresh: SessionRecord, expected: number) => {
          if (key === 'key' && !waited) {
            waited = true;
            await wait();
          }
          return to[operation](key, fresh, expected);
        },
      };
    };
    const deleted = gateway();
    // The late one has read the session and is about to take its place; the other has taken it and is about to fill it.
    const late = movingStore(
      from,
      before('create', () => deleted.opened),
    ).touch('key', now, now);
    const other = movingStore(
      from,
      before('replace', async () => {
        await movingStore(from, to).delete('key');
        deleted.open();
        await late;
      }),
    );
    assert.deepEqual(await other.replace('key', record({ version: 2 }), 1), { ok: false, current: null });
    assert.equal(await late, false);
    assert.equal(await movingStore(from, to).read('key'), null);
  });
});

describe('a process that stops in the middle', () => {
  /** The session as the next process finds it, after another stopped before its nth call to a store. */
  async function stoppedBefore(call: number): Promise<{ next: SessionStore; calls: number; from: SessionStore }> {
    const [from, to] = [memoryStore(), memoryStore()];
    await from.create('key', record());
    let calls = 0;
    const stop = () => (calls++ < call ? null : ({ kind: 'hang' } as const));
    const stopping = movingStore(faultStore(from, stop), faultStore(to, stop));
    await Promise.race([
      stopping.replace('key', record({ version: 2 }), 1),
      new Promise(resolve => setImmediate(resolve)),
    ]);
    return { next: movingStore(from, to), calls, from };
  }

  it('the next one reads the session, changes it, and deletes it', async () => {
    let calls = 0;
    for (let call = 0; call <= calls; call++) {
      const stopped = await stoppedBefore(call);
      calls = stopped.calls;
      const { next, from } = stopped;
      const found = await next.read('key');
      assert.ok(found, `stopped before call ${call}`);
      // A tombstone that the new store collects at once: what is left in the old one must not appear behind it.
      const short = record({ version: found.version + 1, successor: 'key', expiresAt: now - 1 });
      assert.deepEqual(await next.replace('key', short, found.version), { ok: true }, `stopped before call ${call}`);
      assert.equal(await from.read('key'), null, `stopped before call ${call}`);
      await next.delete('key');
      assert.equal(await next.read('key'), null, `stopped before call ${call}`);
    }
    assert.ok(calls > 7, `${calls} calls`);
  });
});

describe('four processes over two SQLite files', () => {
  /** Runs these tasks in processes that start at the same moment, and opens the two stores when all have ended. */
  async function together(keys: string[], data: string, tasks: string[]): Promise<[SessionStore, SessionStore]> {
    const [old, fresh] = [freshFile(), freshFile()];
    const from = sqliteStore(old);
    sqliteStore(fresh).close();
    for (const key of keys) from.create(key, record({ data }));
    const script = new URL('./support/moving-child.js', import.meta.url);
    await runTogether(
      script,
      tasks.map(task => [task, old, fresh]),
    );
    return [from, sqliteStore(fresh)];
  }

  it('400 increments of a counter that was in the old one are 400', async () => {
    const stores = await together(['counter'], '0', Array(4).fill('increment'));
    assert.equal((await movingStore(...stores).read('counter'))?.data, '400');
    assert.equal(await stores[0].read('counter'), null);
  });

  it('what is deleted while others change it is gone from both', async () => {
    const keys = Array.from({ length: 200 }, (_, i) => `key-${i}`);
    const stores = await together(keys, '{}', ['change', 'delete', 'change', 'change']);
    for (const key of keys) {
      assert.equal(await stores[0].read(key), null, key);
      assert.equal(await movingStore(...stores).read(key), null, key);
    }
  });
});

describe('a whole application', () => {
  it('nobody is logged out, what was ended stays so, and in the end the new store is enough', async context => {
    const [old, fresh] = [freshFile(), freshFile()];
    const before = await createRace(sqliteStore(old));
    const [active, idle, leaving] = [before.client(), before.client(), before.client()];
    for (const [client, user] of [
      [active, 'ada'],
      [idle, 'ida'],
      [leaving, 'lea'],
    ] as const) {
      await client.get('/add/tea');
      await client.get(`/login/${user}`);
    }
    const stolen = leaving.tab(before.url);
    const rotated = active.tab(before.url);
    await active.get('/rotate');
    await before.close();

    const store = movingStore(sqliteStore(old), sqliteStore(fresh));
    const during = await createRace(store);
    const at = (client: typeof active) => client.tab(during.url);
    assert.deepEqual((await at(active).get('/add/cake')).json(), ['tea', 'cake']);
    assert.equal((await at(rotated).get('/data')).json()['userId'], 'ada', 'the old id has its grace');
    await at(leaving).get('/logout');
    assert.equal((await at(stolen).get('/data')).json()['userId'], null);
    const { sessions } = during.remember;
    assert.deepEqual(
      (await sessions.list('ida')).map(({ userId }) => userId),
      ['ida'],
    );
    assert.deepEqual(await sessions.list('lea'), []);
    const left = await store.remaining();
    assert.ok(left >= 1, `${left} left`);
    context.diagnostic(`${left} left before, ${await store.finish()} brought over`);
    assert.equal(await store.remaining(), 0);
    await during.close();

    const later = await createRace(sqliteStore(fresh));
    const now = (client: typeof active) => client.tab(later.url);
    assert.deepEqual((await now(active).get('/data')).json(), { cart: ['tea', 'cake'], userId: 'ada' });
    assert.deepEqual((await now(idle).get('/data')).json(), { cart: ['tea'], userId: 'ida' });
    assert.equal((await now(stolen).get('/data')).json()['userId'], null);
    assert.equal((await now(rotated).get('/data')).json()['userId'], 'ada');
    await later.close();
  });

  it('all sessions of a user can be ended wherever they are', async () => {
    const [from, to] = [memoryStore(), memoryStore()];
    for (const key of ['a', 'b', 'c', 'd']) await from.create(key, record({ userId: 'ada' }));
    await from.create('other', record({ userId: 'bob' }));
    const store = movingStore(from, to);
    await store.touch('b', now + 1, now + 4_000_000);
    const sessions = createSessions({ secret: 'a secret of more than thirty-two bytes', store });
    assert.equal((await sessions.list('ada')).length, 4);
    assert.equal(await sessions.revokeAll('ada', { except: 'c' }), 3);
    assert.deepEqual(
      (await sessions.list('ada')).map(({ handle }) => handle),
      ['c'],
    );
    assert.equal((await sessions.list('bob')).length, 1);
    await sessions.close();
  });

  it('of a session that is in both, the new store is right', async () => {
    const [from, to] = [memoryStore(), memoryStore()];
    await from.create('key', record({ userId: 'ada' }));
    const newer = record({ userId: 'ada', data: '{"newer":true}' });
    await to.create('key', newer);
    const store = movingStore(from, to);
    assert.deepEqual(await store.admin?.byUser('ada'), [['key', newer]]);
    assert.deepEqual(await store.read('key'), newer);
    // Who brought it over came not to delete it: whoever writes to it does.
    assert.equal(await store.touch('key', now + 2, newer.expiresAt), true);
    assert.equal(await from.read('key'), null);
    assert.deepEqual(await to.read('key'), { ...newer, lastSeenAt: now + 2 });
  });

  it('what an earlier copy left in the new store does not take the place of what was done since', async () => {
    const [from, to] = [memoryStore(), sqliteStore(freshFile())];
    await from.create('written', record({ userId: 'ada' }));
    await from.create('seen', record());
    await from.create('ended', record());
    await copySessions(from, to);
    const written = record({ userId: 'ada', version: 2, data: '{"newer":true}' });
    await from.replace('written', written, 1);
    await from.touch('seen', now + 1, now + 4_000_000);
    await from.replace('ended', record({ version: 2, successor: 'next' }), 1);
    const seen = record({ lastSeenAt: now + 1, expiresAt: now + 4_000_000 });
    const store = movingStore(from, to);
    const check = async () => {
      assert.deepEqual(await store.read('written'), written);
      assert.deepEqual(await store.admin?.byUser('ada'), [['written', written]]);
      assert.deepEqual(await store.read('seen'), seen);
      assert.equal((await store.read('ended'))?.successor, 'next');
    };
    await check();
    assert.equal(await store.finish(), 3);
    await check();
    assert.equal((await from.admin.page(null, 10)).entries.length, 0);
    await store.close?.();
  });

  it('a session that is in the old one has its key to itself', async () => {
    const [from, to] = [memoryStore(), memoryStore()];
    await from.create('key', record());
    assert.equal(await movingStore(from, to).create('key', record({ userId: 'eve' })), false);
    assert.deepEqual(await movingStore(from, to).read('key'), record());
  });

  it('a session whose data look like those of a place that is held is a session', async () => {
    const [from, to] = [memoryStore(), memoryStore()];
    await from.create('key', record());
    const stopping = faultStore(to, ({ operation }) => (operation === 'replace' ? { kind: 'fail' } : null));
    await assert.rejects(async () => movingStore(from, stopping).touch('key', now, now));
    const place = await to.read('key');
    assert.ok(place?.successor, 'no place was taken');
    const alike = record({ data: place.data });
    await to.create('alike', alike);
    assert.deepEqual(await movingStore(from, to).read('alike'), alike);
    assert.equal(await movingStore(from, to).touch('alike', now, now), true);
  });

  it('to end all of a user spares who has logged in meanwhile as somebody else, and what the login left', async () => {
    const [from, to] = [memoryStore(), memoryStore()];
    await from.create('key', record({ userId: 'ada' }));
    const stone = record({ version: 2, successor: 'bob' });
    // The login comes as soon as the old store has been asked.
    const byUser = async (userId: string) => {
      const found = await from.admin.byUser(userId);
      await movingStore(from, to).replace('key', stone, 1);
      return found;
    };
    const store = movingStore({ ...faultStore(from), admin: { ...from.admin, byUser } }, to);
    assert.equal(await store.admin?.deleteByUser('ada'), 0);
    assert.deepEqual(await store.read('key'), stone);
  });

  it('two that end all of a user at once say together how many there were', async () => {
    const [from, to] = [memoryStore(), memoryStore()];
    for (const [i, key] of ['a', 'b', 'c', 'd'].entries()) {
      await (i % 2 ? from : to).create(key, record({ userId: 'ada' }));
    }
    const { admin } = movingStore(from, to);
    const [one, other] = await Promise.all([admin?.deleteByUser('ada'), admin?.deleteByUser('ada')]);
    assert.equal(Number(one) + Number(other), 4);
  });

  it('prune keeps to its limit over both', async () => {
    const [from, to] = [sqliteStore(freshFile()), sqliteStore(freshFile())];
    for (let i = 0; i < 5; i++) (i < 2 ? from : to).create(`key-${i}`, record());
    const store = movingStore(from, to);
    assert.equal(await store.admin?.prune(now + 3_600_000, 3), 3);
    assert.equal(await to.admin.count(now), 2);
    await store.close?.();
  });

  it('a walk sees each session once, though it brings them over', async () => {
    const [from, to] = [memoryStore(), memoryStore()];
    const keys = Array.from({ length: 250 }, (_, i) => `key-${i}`);
    for (const [i, key] of keys.entries()) await (i % 2 ? from : to).create(key, record());
    const sessions = createSessions({ secret: 'a secret of more than thirty-two bytes', store: movingStore(from, to) });
    const seen: string[] = [];
    for await (const { handle } of sessions.scan()) seen.push(handle);
    assert.deepEqual(seen.sort(), keys.sort());
    await sessions.close();
  });
});

describe('a session that the new store refuses', () => {
  it('is shown where it is, and ends with the others of its user', async () => {
    const [from, to] = [memoryStore(), memoryStore({ maxBytes: 200 })];
    const sessions = createSessions({ secret: 'a secret of more than thirty-two bytes', store: movingStore(from, to) });
    const large = JSON.stringify({ text: 'x'.repeat(200) });
    for (const key of ['a', 'b', 'c']) await from.create(key, record({ userId: 'ada' }));
    await from.create('large', record({ userId: 'ada', data: large }));
    const seen: string[] = [];
    for await (const { handle } of sessions.scan()) seen.push(handle);
    assert.deepEqual(seen.sort(), ['a', 'b', 'c', 'large']);
    assert.equal(await from.admin.count(now), 1);
    assert.equal(await sessions.revokeAll('ada'), 4);
    assert.deepEqual(await sessions.list('ada'), []);
    await sessions.close();
  });
});

describe('what movingStore says', () => {
  it('how many live sessions are left in the old one', async () => {
    const clock = createTestClock(now - 1);
    const [from, to] = [memoryStore({ clock }), memoryStore({ clock })];
    const store = movingStore(from, to, { clock });
    for (const key of ['a', 'b', 'c']) await from.create(key, record());
    await from.create('expired', record({ expiresAt: now }));
    clock.advance(1);
    assert.equal(await store.remaining(), 3);
    await store.touch('a', now, now + 3_600_000);
    assert.equal(await store.remaining(), 2);
    await store.create('new', record());
    await store.delete('b');
    assert.equal(await store.remaining(), 1);
    assert.equal(await store.finish(), 2);
    assert.equal(await store.remaining(), 0);
  });

  it('that the old store is asked as what it is: its methods may need it', async () => {
    const memory = memoryStore();
    await memory.create('a', record());
    const admin = {
      ...memory.admin,
      pages: memory.admin.page,
      page(...place: Parameters<typeof memory.admin.page>) {
        return this.pages(...place);
      },
    };
    const from: SessionStore = { ...beginningInOld(memory, memoryStore()), admin };
    assert.equal(await movingStore(from, memoryStore()).finish(), 1);
  });

  it('that the old store cannot tell', async () => {
    const store = movingStore(classicStore(memorystore()), memoryStore());
    assert.equal(store.admin, undefined);
    await assert.rejects(store.remaining(), { code: 'ERR_STORE_NO_ADMIN' });
    await assert.rejects(store.finish(), { code: 'ERR_STORE_NO_ADMIN' });
  });

  it('that both are the same', async () => {
    const store = memoryStore();
    assert.throws(() => movingStore(store, store), { code: 'ERR_OPTION_CONFLICT' });
    const file = freshFile();
    const [one, same] = [sqliteStore(file), sqliteStore(file)];
    one.create('key', record());
    const moving = movingStore(one, same);
    await assert.rejects(async () => moving.touch('key', now, now), { code: 'ERR_OPTION_CONFLICT' });
    assert.deepEqual(await one.read('key'), record());
    assert.equal((await one.admin.page(null, 10)).entries.length, 1);
  });

  it('that both are the same, also where the first session that it meets has expired and proves nothing', async () => {
    const clock = createTestClock(now);
    const data = memoryStore({ clock });
    await data.create('expired', record({ expiresAt: now + 1 }));
    await data.create('live', record());
    clock.advance(1);
    const moving = movingStore(faultStore(data), faultStore(data));
    await moving.touch('expired', now, now);
    await assert.rejects(async () => moving.touch('live', now, now), { code: 'ERR_OPTION_CONFLICT' });
    assert.deepEqual(await data.read('live'), record());
  });

  it('what is no store, and what is no option', () => {
    assert.throws(() => movingStore({} as SessionStore, memoryStore()), {
      code: 'ERR_STORE_INVALID',
      message: /^The store to move from/,
    });
    assert.throws(() => movingStore(memoryStore(), undefined as unknown as SessionStore), {
      code: 'ERR_STORE_INVALID',
      message: /^The store to move to/,
    });
    assert.throws(() => movingStore(memoryStore(), memoryStore(), { cursor: null } as object), {
      code: 'ERR_OPTION_UNKNOWN',
    });
  });

  it('nothing of what it holds places with, to whom uses the new store alone', async () => {
    const [from, to] = [memoryStore(), memoryStore()];
    await from.create('key', record());
    // Another process deletes it between the two looks of this one at the old store.
    const late = faultStore(from, ({ operation, index }) => {
      if (operation === 'read' && index === 2) void from.delete('key');
      return null;
    });
    assert.equal(await movingStore(late, to).touch('key', now, now), false);
    const claim = await to.read('key');
    assert.ok(claim?.successor, 'no place was taken');
    assert.deepEqual(await movingStore(from, to).admin?.page(null, 10), { entries: [], cursor: null });
    const sessions = createSessions({ secret: 'a secret of more than thirty-two bytes', store: to });
    for await (const session of sessions.scan()) assert.fail(session.handle);
    assert.equal(await movingStore(from, to).create('key', record({ data: '"new"' })), true);
    assert.equal((await to.read('key'))?.data, '"new"');
    await sessions.close();
  });

  it('close closes both', async () => {
    const closed: string[] = [];
    const closing = (name: string) => ({ ...faultStore(memoryStore()), close: () => void closed.push(name) });
    await movingStore(closing('from'), closing('to')).close?.();
    assert.deepEqual(closed, ['from', 'to']);
  });
});
