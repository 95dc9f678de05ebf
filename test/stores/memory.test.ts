import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MemoryStoreOptions, memoryStore } from 'madeleine/memory';
import { createTestClock, storeConformance } from 'madeleine/testing';
import { randomNumbers } from '../support/random.ts';
import { runInProject } from './support/project.ts';
import { sampleRecord } from './support/sample-record.js';

storeConformance({ name: 'memoryStore', open: ({ clock }) => memoryStore({ clock }) });

function setUp(options: MemoryStoreOptions) {
  const clock = createTestClock();
  const store = memoryStore({ clock, ...options });
  const add = (key: string, changes = {}) => store.create(key, sampleRecord(clock(), changes));
  const has = (key: string) => store.read(key) !== null;
  const size = () => store.admin.count(0) as number;
  return { clock, store, add, has, size };
}

test('it never holds more sessions than maxSessions: the one used longest ago leaves', () => {
  const { add, has, size, store, clock } = setUp({ maxSessions: 3 });
  for (const key of ['a', 'b', 'c']) add(key);
  store.read('a');
  store.touch('b', clock() + 1, clock() + 1);
  add('d');
  assert.equal(size(), 3);
  assert.deepEqual(['a', 'b', 'c', 'd'].map(has), [true, true, false, true]);
});

test('replacing a session counts as its use', () => {
  const { add, has, store, clock } = setUp({ maxSessions: 2 });
  add('a');
  add('b');
  store.replace('a', sampleRecord(clock(), { version: 2 }), 1);
  add('c');
  assert.deepEqual(['a', 'b', 'c'].map(has), [true, false, true]);
});

test('a flood of anonymous visitors logs nobody out', () => {
  const { add, has, size } = setUp({ maxSessions: 100 });
  for (let i = 0; i < 99; i++) add(`login-${i}`, { userId: `user-${i}` });
  for (let i = 0; i < 10_000; i++) add(`visitor-${i}`);
  assert.equal(size(), 100);
  assert.ok(Array.from({ length: 99 }, (_, i) => `login-${i}`).every(has));
});

test('in a store full of logins a flood of anonymous visitors costs one place, not more', () => {
  const { add, size, store } = setUp({ maxSessions: 100 });
  for (let i = 0; i < 100; i++) add(`login-${i}`, { userId: 'user' });
  for (let i = 0; i < 10_000; i++) add(`visitor-${i}`);
  assert.equal((store.admin.byUser('user') as unknown[]).length, 99);
  assert.equal(size(), 100);
});

test('a visitor who logs in is protected from then on, and one who logs out no longer', () => {
  const { add, has, store, clock } = setUp({ maxSessions: 3 });
  add('in');
  store.replace('in', sampleRecord(clock(), { version: 2, userId: 'user' }), 1);
  add('out', { userId: 'user' });
  store.replace('out', sampleRecord(clock(), { version: 2 }), 1);
  for (const key of ['x', 'y', 'z']) add(key);
  assert.deepEqual(['in', 'out'].map(has), [true, false]);
});

test('where a login was, a flood of visitors leaves what late requests are told by', () => {
  const { add, has, clock } = setUp({ maxSessions: 3 });
  // A tombstone names no user.
  add('tombstone', { authenticatedAt: clock(), successor: 'next' });
  for (const key of ['x', 'y', 'z']) add(key);
  assert.equal(has('tombstone'), true);
});

test('logins make room for logins, the one used longest ago first', () => {
  const { add, has } = setUp({ maxSessions: 2 });
  for (const key of ['a', 'b', 'c']) add(key, { userId: key });
  assert.deepEqual(['a', 'b', 'c'].map(has), [false, true, true]);
});

test('whatever happens, the right one leaves', () => {
  const { add, store, clock } = setUp({ maxSessions: 6 });
  const versions = new Map<string, number>();
  // The keys of either class, the one used longest ago first.
  const order = { login: [] as string[], visitor: [] as string[] };
  const classOf = (key: string) => (key.startsWith('login') ? order.login : order.visitor);
  const use = (key: string) => classOf(key).push(...classOf(key).splice(classOf(key).indexOf(key), 1));
  const random = randomNumbers(1);

  for (let step = 0; step < 5_000; step++) {
    const key = `${random(2) ? 'login' : 'visitor'}-${random(6)}`;
    const userId = key.startsWith('login') ? key : null;
    const there = classOf(key).includes(key);
    const operation = random(5);
    if (operation === 0) {
      assert.equal(store.delete(key), there);
      if (there) classOf(key).splice(classOf(key).indexOf(key), 1);
    } else if (operation === 1 && there) {
      const version = versions.get(key)!;
      store.replace(key, sampleRecord(clock(), { version: version + 1, userId }), version);
      versions.set(key, version + 1);
      use(key);
    } else if (operation > 2) {
      assert.equal(add(key, { userId }), !there);
      if (!there) {
        classOf(key).push(key);
        versions.set(key, 1);
        const onlyTheNew = order.visitor.length === 1 && order.visitor[0] === key;
        if (order.login.length + order.visitor.length > 6) {
          (order.visitor.length > 0 && !onlyTheNew ? order.visitor : order.login).shift();
        }
      }
    } else {
      assert.equal(store.read(key) !== null, there, `${key} at step ${step}`);
      if (there) use(key);
    }
  }
});

test('it never holds more data than maxBytes, counted as UTF-8', () => {
  const { add, has, store, clock } = setUp({ maxBytes: 1_000 });
  add('a', { data: 'x'.repeat(500) });
  add('b', { data: 'é'.repeat(250) });
  assert.deepEqual(['a', 'b'].map(has), [true, true]);
  add('c', { data: 'x' });
  assert.deepEqual(['a', 'b', 'c'].map(has), [false, true, true]);
  store.replace('c', sampleRecord(clock(), { version: 2, data: 'x'.repeat(501) }), 1);
  assert.deepEqual(['b', 'c'].map(has), [false, true]);
  store.replace('c', sampleRecord(clock(), { version: 3, data: '' }), 2);
  store.delete('c');
  add('d', { data: 'x'.repeat(1_000) });
  assert.ok(has('d'), 'what was deleted or shortened no longer counts');
});

test('what was replaced and deleted counts neither too much nor too little', () => {
  const { add, has, store, clock } = setUp({ maxBytes: 1_000 });
  add('a', { data: 'x'.repeat(10) });
  const change = (version: number, length: number, userId: string | null) =>
    store.replace('a', sampleRecord(clock(), { version, userId, data: 'x'.repeat(length) }), version - 1);
  change(2, 100, null);
  change(3, 5, 'user');
  change(4, 200, 'user');
  change(5, 20, null);
  for (let i = 0; i < 98; i++) add(`ten-${i}`, { data: 'x'.repeat(10) });
  assert.ok(has('a') && has('ten-0'), 'all of it fits, to the byte');
  store.delete('a');
  add('twenty', { data: 'x'.repeat(20) });
  add('one', { data: 'x' });
  assert.deepEqual(['ten-1', 'ten-0', 'ten-2'].map(has), [false, true, true]);
});

test('a session larger than the whole store is refused, and nothing leaves for it', () => {
  const { add, has, store, clock } = setUp({ maxBytes: 1_000 });
  add('a', { data: 'small' });
  const large = sampleRecord(clock(), { version: 2, data: 'x'.repeat(1_001) });
  assert.throws(() => store.create('b', large), { code: 'ERR_DATA_TOO_LARGE' });
  assert.throws(() => store.replace('a', large, 1), { code: 'ERR_DATA_TOO_LARGE' });
  assert.equal(store.create('b', sampleRecord(clock())), true);
  assert.ok(has('a'));
});

test('expired records leave before any live one, wherever they stand', () => {
  const { add, has, clock, store } = setUp({ maxSessions: 10 });
  for (let i = 0; i < 5; i++) add(`live-${i}`);
  for (let i = 0; i < 5; i++) add(`brief-${i}`, { userId: 'user', expiresAt: clock() + 1_000 });
  store.touch('brief-0', clock(), clock() + 5_000);
  clock.advance('2s');
  for (let i = 0; i < 4; i++) add(`new-${i}`);
  assert.ok(Array.from({ length: 5 }, (_, i) => `live-${i}`).every(has));
  assert.ok(has('brief-0'), 'a touch has prolonged it');
  assert.deepEqual(
    [1, 2, 3, 4].map(i => has(`brief-${i}`)),
    [false, false, false, false],
  );
});

test('a large record takes the place of as many expired ones as it needs', () => {
  const { add, has, clock } = setUp({ maxBytes: 100 });
  add('live', { data: 'x'.repeat(50) });
  for (let i = 0; i < 5; i++) add(`brief-${i}`, { data: 'x'.repeat(10), expiresAt: clock() + 1_000 });
  clock.advance('2s');
  add('large', { data: 'x'.repeat(50) });
  assert.deepEqual(['live', 'large'].map(has), [true, true]);
});

test('whatever happens, what expires first leaves first', async () => {
  const { store, clock } = setUp({});
  const expiries = new Map<string, number>();
  const random = randomNumbers(1922);
  // Few moments for many sessions: most stand beside others of the same time.
  const moment = () => clock() + 1 + random(300);
  const change = (key: string) => {
    const before = expiries.get(key);
    const operation = random(4);
    const expiresAt = moment();
    if (before === undefined) {
      store.create(key, sampleRecord(clock(), { expiresAt }));
      expiries.set(key, expiresAt);
    } else if (operation === 0) {
      store.delete(key);
      expiries.delete(key);
    } else if (operation === 1) {
      store.touch(key, clock(), expiresAt);
      expiries.set(key, Math.max(before, expiresAt));
    } else {
      store.replace(key, sampleRecord(clock(), { expiresAt, userId: random(2) ? 'user' : null }), 1);
      expiries.set(key, expiresAt);
    }
  };

  // The last is more than one page of the queue.
  for (const [keys, rounds] of [
    [1, 5],
    [5, 20],
    [20, 20],
    [100, 20],
    [10_000, 2],
  ] as const) {
    for (let round = 0; round < rounds; round++) {
      for (let step = 0; step < 3 * keys; step++) change(`key-${random(keys)}`);
      const due = new Map<number, number>();
      for (const time of expiries.values()) due.set(time, (due.get(time) ?? 0) + 1);
      const last = moment();
      // Were one in the wrong place, another that is not due yet would stand before it, and hold it up.
      for (let now = clock(); now <= last; now++) {
        assert.equal(store.admin.prune(now, keys), due.get(now) ?? 0, `${keys} keys, round ${round}, ${now - clock()}`);
      }
      for (const [key, time] of expiries) if (time <= last) expiries.delete(key);
      const { entries } = await store.admin.page(null, 20_000);
      assert.equal(entries.length, expiries.size);
      for (const [key, { expiresAt }] of entries) assert.equal(expiresAt, expiries.get(key));
    }
  }
});

test('each write takes expired records away, so that they do not pile up in a store that is not full', () => {
  const { add, clock, size } = setUp({});
  for (let i = 0; i < 1_000; i++) add(`brief-${i}`, { expiresAt: clock() + i });
  clock.advance('1h');
  for (let i = 0; i < 500; i++) add(`new-${i}`);
  assert.equal(size(), 500);
});

test('the cost of a write does not grow with what it holds', () => {
  const perCreate = (held: number) => {
    const { add } = setUp({ maxSessions: held });
    for (let i = 0; i < held; i++) add(`first-${i}`);
    const start = process.hrtime.bigint();
    for (let i = 0; i < 5_000; i++) add(`second-${i}`);
    return Number(process.hrtime.bigint() - start) / 5_000;
  };
  perCreate(1_000);
  const [few, many] = [perCreate(1_000), perCreate(100_000)];
  // A scan of everything would be some hundred times slower; the limit leaves room for caches and for a busy machine.
  assert.ok(many < 25 * few, `${few} ns with 1,000 held, ${many} ns with 100,000`);
});

test('wrong options are refused', () => {
  assert.throws(() => memoryStore({ max: 10 } as MemoryStoreOptions), { code: 'ERR_OPTION_UNKNOWN' });
  for (const value of [0, -1, 1.5, Number.NaN, '10' as unknown as number]) {
    assert.throws(() => memoryStore({ maxSessions: value }), { code: 'ERR_OPTION_INVALID', message: /maxSessions/ });
    assert.throws(() => memoryStore({ maxBytes: value }), { code: 'ERR_OPTION_INVALID', message: /maxBytes/ });
  }
});

test('of a user who is gone nothing is kept', () => {
  const script = `
    import { memoryStore } from 'madeleine/memory';
    const store = memoryStore({ maxSessions: 10 });
    const record = ${JSON.stringify(sampleRecord(Date.now()))};
    for (let i = 0; i < 200_000; i++) store.create('key-' + i, { ...record, userId: 'user-' + i });
    console.log(store.admin.count(0));`;
  assert.equal(runInProject(script, {}, { NODE_OPTIONS: '--max-old-space-size=24' }), '10\n');
});

test('a process with a memory store ends by itself', () => {
  const script = `
    import { memoryStore } from 'madeleine/memory';
    console.log(memoryStore().create('key', ${JSON.stringify(sampleRecord(Date.now()))}));`;
  assert.equal(runInProject(script), 'true\n');
});
