/** What must be true of the admin part of every store that has one. */
import assert from 'node:assert/strict';
import type { SessionRecord } from '../session/record.ts';
import type { SessionStore } from '../session/store.ts';
import type { TestClock } from './clock.ts';
import { adminOf, everything, HOSTILE_TEXTS, HOUR, namedChecks, type StoreCheck, sample } from './store-samples.ts';

const keysOf = (entries: Array<[string, SessionRecord]>) => entries.map(([key]) => key).sort();

/** Creates anonymous records `from`, …, `to - 1`, and answers their keys. */
async function fill(store: SessionStore, clock: TestClock, from: number, to: number): Promise<string[]> {
  const keys = Array.from({ length: to - from }, (_, index) => `key-${String(from + index).padStart(3, '0')}`);
  for (const key of keys) await store.create(key, sample(clock, { data: key }));
  return keys;
}

const checks: Record<string, StoreCheck['run']> = {
  'admin: a new store is empty': async (store, clock) => {
    assert.deepEqual(await adminOf(store).page(null, 10), { entries: [], cursor: null });
    assert.equal(await adminOf(store).count(0), 0);
    assert.equal(await adminOf(store).prune(clock() + HOUR, 10), 0);
    assert.deepEqual(await adminOf(store).byUser('nobody'), []);
    assert.equal(await adminOf(store).deleteByUser('nobody'), 0);
  },

  'admin.byUser: all of one user, and no one else': async (store, clock) => {
    const mine = sample(clock, { userId: 'me', device: { address: '192.0.2.1' } });
    const stone = sample(clock, { userId: 'me', successor: 'mine' });
    await store.create('mine', mine);
    await store.create('stone', stone);
    await store.create('theirs', sample(clock, { userId: 'them' }));
    await store.create('anonymous', sample(clock));
    const found = Object.fromEntries(await adminOf(store).byUser('me'));
    assert.deepEqual(found, { mine, stone });
  },

  'admin.byUser: follows replace, touch and delete': async (store, clock) => {
    const record = sample(clock, { userId: 'before' });
    await store.create('key', record);
    await store.replace('key', { ...record, version: 2, userId: 'after' }, 1);
    assert.deepEqual(await adminOf(store).byUser('before'), []);
    await store.touch('key', record.lastSeenAt + 1, record.expiresAt + 1);
    const touched = { ...record, version: 2, lastSeenAt: record.lastSeenAt + 1, expiresAt: record.expiresAt + 1 };
    assert.deepEqual(await adminOf(store).byUser('after'), [['key', { ...touched, userId: 'after' }]]);
    await store.replace('key', { ...touched, version: 3, userId: null }, 2);
    assert.deepEqual(await adminOf(store).byUser('after'), []);
    await store.replace('key', { ...touched, version: 4, userId: 'after' }, 3);
    await store.delete('key');
    assert.deepEqual(await adminOf(store).byUser('after'), []);
  },

  'admin: user ids are opaque: each text is one user and only that': async (store, clock) => {
    for (const [index, userId] of HOSTILE_TEXTS.entries())
      await store.create(`key-${index}`, sample(clock, { userId }));
    await store.create('empty', sample(clock, { userId: '' }));
    for (const [index, userId] of HOSTILE_TEXTS.entries()) {
      assert.deepEqual(keysOf(await adminOf(store).byUser(userId)), [`key-${index}`], JSON.stringify(userId));
      assert.equal(await adminOf(store).deleteByUser(userId), 1);
    }
    assert.deepEqual(keysOf(await adminOf(store).byUser('')), ['empty']);
  },

  'admin.deleteByUser: all of one user save the exception, and says how many': async (store, clock) => {
    for (const key of ['a', 'b', 'c']) await store.create(key, sample(clock, { userId: 'me' }));
    await store.create('theirs', sample(clock, { userId: 'them' }));
    await store.create('anonymous', sample(clock));
    assert.equal(await adminOf(store).deleteByUser('me', 'b'), 2);
    assert.deepEqual(keysOf(await everything(store)), ['anonymous', 'b', 'theirs']);
    assert.equal(await adminOf(store).deleteByUser('me', 'theirs'), 1);
    assert.equal(await adminOf(store).deleteByUser('me'), 0);
    assert.deepEqual(keysOf(await everything(store)), ['anonymous', 'theirs']);
  },

  'admin.page: sees every record exactly once, whatever the limit': async (store, clock) => {
    const keys = await fill(store, clock, 0, 25);
    for (const limit of [1, 5, 7, 24, 25, 26, 1000]) {
      const entries = await everything(store, limit);
      assert.deepEqual(keysOf(entries), keys, `limit ${limit}`);
      for (const [key, record] of entries) assert.deepEqual(record, sample(clock, { data: key }));
    }
  },

  'admin.page: what is there during the whole walk is seen exactly once, whatever else happens': async (
    store,
    clock,
  ) => {
    const leaving = await fill(store, clock, 0, 15);
    const lasting = await fill(store, clock, 100, 130);
    leaving.push(...(await fill(store, clock, 200, 215)));
    const seen: string[] = [];
    let cursor: string | null = null;
    for (let step = 0; step === 0 || cursor !== null; step++) {
      const page: { entries: Array<[string, SessionRecord]>; cursor: string | null } = await adminOf(store).page(
        cursor,
        4,
      );
      seen.push(...page.entries.map(([key]) => key));
      cursor = page.cursor;
      // Records come and go; those that stay are read, touched and replaced, before and behind the cursor.
      await store.delete(leaving[(step * 7) % leaving.length]!);
      const place = step % 2 === 0 ? 20 + step : 300 + step;
      await fill(store, clock, place, place + 1);
      await store.read(lasting[(step * 5) % 30]!);
      await store.touch(lasting[(step * 11) % 30]!, clock() + step, clock() + HOUR + step);
      const changed = lasting[(step * 13) % 30]!;
      const record = await store.read(changed);
      assert.ok(record);
      await store.replace(changed, { ...record, version: record.version + 1 }, record.version);
      assert.ok(step < 200, 'the walk does not end');
    }
    const counts = new Map<string, number>();
    for (const key of seen) counts.set(key, (counts.get(key) ?? 0) + 1);
    for (const key of lasting) assert.equal(counts.get(key), 1, `${key} was seen ${counts.get(key) ?? 0} times`);
  },

  'admin.count: how many expire later than that': async (store, clock) => {
    const now = clock();
    for (const wait of [1, 2, 3]) await store.create(`key-${wait}`, sample(clock, { expiresAt: now + wait * HOUR }));
    assert.equal(await adminOf(store).count(now), 3);
    assert.equal(await adminOf(store).count(now + HOUR - 1), 3);
    assert.equal(await adminOf(store).count(now + HOUR), 2);
    assert.equal(await adminOf(store).count(now + 3 * HOUR), 0);
    await store.touch('key-1', now, now + 9 * HOUR);
    await store.delete('key-2');
    assert.equal(await adminOf(store).count(now + 3 * HOUR), 1);
  },

  'admin.prune: only what has expired, at most so many, and says how many': async (store, clock) => {
    const shortened = await fill(store, clock, 0, 12);
    for (const key of shortened) {
      await store.replace(key, sample(clock, { version: 2, expiresAt: clock() + HOUR / 2 }), 1);
    }
    const prolonged = await fill(store, clock, 20, 23);
    for (const key of prolonged) await store.touch(key, clock() + HOUR, clock() + 3 * HOUR);
    await store.create('edge', sample(clock, { userId: 'me', expiresAt: clock() + 2 * HOUR }));
    clock.advance(2 * HOUR);

    let before = (await everything(store)).length;
    for (let round = 0; before > prolonged.length && round < 10; round++) {
      const pruned = await adminOf(store).prune(clock(), 5);
      const left = (await everything(store)).length;
      assert.ok(pruned <= 5, `pruned ${pruned} of at most 5`);
      assert.equal(pruned, before - left, 'what prune said is not what is gone');
      before = left;
    }
    assert.deepEqual(keysOf(await everything(store)), prolonged);
    assert.equal(await adminOf(store).prune(clock(), 5), 0);
    assert.deepEqual(await adminOf(store).byUser('me'), []);
  },

  'admin: records come out by value': async (store, clock) => {
    const original = () => sample(clock, { userId: 'me', device: { address: '192.0.2.1' } });
    await store.create('key', original());
    for (const [, record] of [...(await adminOf(store).byUser('me')), ...(await everything(store))]) {
      record.version = 99;
      record.device!.address = 'changed';
    }
    assert.deepEqual(await store.read('key'), original());
  },
};

export const adminChecks: readonly StoreCheck[] = namedChecks(checks, true);
