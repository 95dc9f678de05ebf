// What an operator asks of all sessions at once: is the store there, who is there, take away what has expired.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createSessions, MadeleineError, type SessionStore, type Sessions } from 'madeleine';
import { memoryStore } from 'madeleine/memory';
import { sqliteStore } from 'madeleine/sqlite';
import { createTestClock, faultStore } from 'madeleine/testing';
import { sampleRecord } from '../stores/support/sample-record.js';
import { gateway } from '../support/gateway.js';
import { temporaryFiles } from '../support/temporary-files.js';

const freshFile = temporaryFiles('.db');

const STORES: Array<[name: string, open: () => SessionStore]> = [
  ['memory', () => memoryStore()],
  ['sqlite', () => sqliteStore(freshFile())],
  ['memory, some ms away', () => faultStore(memoryStore(), () => ({ kind: 'delay', time: 2 }))],
];

const secret = 'a secret of more than thirty-two bytes';
const keyOf = (i: number) => String(i).padStart(43, 'k');
const now = Date.now();

async function fill(store: SessionStore, count: number, changes = (_i: number): object => ({})): Promise<void> {
  for (let i = 0; i < count; i++) await store.create(keyOf(i), sampleRecord(now, changes(i)));
}

async function handlesOf(sessions: Sessions): Promise<string[]> {
  const handles: string[] = [];
  for await (const { handle } of sessions.scan()) handles.push(handle);
  return handles;
}

describe('check', () => {
  it('a store that answers is well, and nothing is written to it', async () => {
    const store = faultStore(memoryStore());
    const sessions = createSessions({ secret, store });
    const health = await sessions.check();
    assert.equal(health.ok, true);
    assert.ok(health.milliseconds >= 0 && health.milliseconds < 5_000);
    assert.deepEqual(
      store.calls.map(({ operation, key }) => [operation, key.length]),
      [['read', 43]],
    );
  });

  for (const [kind, code] of [
    ['fail', 'ERR_STORE_FAILED'],
    ['hang', 'ERR_STORE_TIMEOUT'],
  ] as const) {
    it(`a store whose calls ${kind} is not, and this is said, not thrown`, async () => {
      const store = faultStore(memoryStore(), () => ({ kind }));
      const health = await createSessions({ secret, store, storeTimeout: 50 }).check();
      assert.ok(!health.ok && health.error instanceof MadeleineError);
      assert.equal(health.error.code, code);
      if (kind === 'hang') assert.ok(health.milliseconds > 40, `${health.milliseconds} ms`);
    });
  }
});

for (const [name, open] of STORES) {
  describe(`scan: ${name}`, () => {
    it('every live session once, and what a list may know of it', async () => {
      const store = open();
      const sessions = createSessions({ secret, store });
      const device = { userAgent: 'Lynx' };
      await fill(store, 250, i => ({ userId: i % 2 ? `user-${i}` : null, device: i === 7 ? device : null }));
      const handles = await handlesOf(sessions);
      assert.deepEqual(handles.sort(), Array.from({ length: 250 }, (_, i) => keyOf(i)).sort());
      for await (const session of sessions.scan()) {
        if (session.handle !== keyOf(7)) continue;
        assert.deepEqual([session.userId, session.device, session.createdAt], ['user-7', device, new Date(now)]);
        assert.ok(!('data' in session));
      }
      await sessions.close();
    });

    it('no tombstones, and nothing that has expired', async () => {
      const store = open();
      const sessions = createSessions({ secret, store });
      await fill(store, 4, i => [{ successor: keyOf(3) }, { expiresAt: now - 1 }, { lastSeenAt: 0 }, {}][i] as object);
      assert.deepEqual(await handlesOf(sessions), [keyOf(3)]);
      await sessions.close();
    });

    it('lets others run between the pages', async () => {
      const store = open();
      const sessions = createSessions({ secret, store });
      await fill(store, 450);
      let seen = 0;
      let seenByOthers: number | null = null;
      setImmediate(() => {
        seenByOthers = seen;
      });
      for await (const _ of sessions.scan()) seen++;
      assert.equal(seen, 450);
      assert.ok(seenByOthers !== null && seenByOthers < 200, `others ran after ${seenByOthers}`);
      await sessions.close();
    });
  });
}

describe('scan', () => {
  it('holds no more than a page, and asks for no more than are wanted', async () => {
    const store = memoryStore();
    await fill(store, 1_000);
    const limits: number[] = [];
    const { page } = store.admin;
    store.admin.page = (cursor, limit) => {
      limits.push(limit);
      return page(cursor, limit);
    };
    for await (const _ of createSessions({ secret, store }).scan()) break;
    assert.deepEqual(limits, [100]);
  });

  it('a store without a list: ERR_STORE_NO_ADMIN', async () => {
    const { admin: _, ...store } = faultStore(memoryStore());
    await assert.rejects(handlesOf(createSessions({ secret, store })), { code: 'ERR_STORE_NO_ADMIN' });
  });
});

/** Deno has one set of timers for all tests, and resets them after none. */
function enableTimers(context: TestContext): void {
  context.mock.timers.reset();
  context.mock.timers.enable({ apis: ['setTimeout'] });
}

describe('prune', () => {
  /** A store whose pruning holds the event loop for so many milliseconds, and the limits that it was given. */
  function counted(context: TestContext, left: number, hold: (call: number) => number) {
    let time = 0;
    context.mock.method(performance, 'now', () => time);
    const limits: number[] = [];
    const store = memoryStore();
    store.admin.prune = (_now, limit) => {
      limits.push(limit);
      time += hold(limits.length);
      const pruned = Math.min(limit, left);
      left -= pruned;
      return pruned;
    };
    return { limits, store };
  }

  for (const [name, open] of STORES) {
    it(`${name}: all that has expired, and nothing else`, async () => {
      const store = open();
      const clock = createTestClock(now);
      const sessions = createSessions({ secret, store, clock });
      await fill(store, 300, i => (i < 5 ? { expiresAt: now + 9e6 } : {}));
      clock.advance('1h');
      assert.equal(await sessions.prune(), 295);
      assert.equal((await handlesOf(sessions)).length, 5);
      assert.equal(await sessions.prune(), 0);
      await sessions.close();
    });
  }

  it('in batches that shrink where they hold up the event loop, and stay as they are where they fit', async context => {
    const { limits, store } = counted(context, 2_000, call => [0, 0, 0, 0, 2, 2, 9, 9, 9, 9, 9, 9][call - 1] ?? 2);
    await createSessions({ secret, store }).prune();
    assert.deepEqual(limits.slice(0, 13), [10, 20, 40, 80, 160, 160, 160, 80, 40, 20, 10, 10, 10]);
  });

  it('in batches that grow up to a thousand where they do not', async context => {
    const { limits, store } = counted(context, 100_000, () => 0);
    assert.equal(await createSessions({ secret, store }).prune(), 100_000);
    assert.equal(Math.max(...limits), 1_000);
  });

  it('others run between the batches', async context => {
    const { limits, store } = counted(context, 100_000, () => 0);
    let seenByOthers: number | null = null;
    setImmediate(() => {
      seenByOthers = limits.length;
    });
    await createSessions({ secret, store }).prune();
    assert.equal(seenByOthers, 1);
  });

  it('goes on by itself from time to time, also after it has failed, until close()', async context => {
    enableTimers(context);
    const store = memoryStore();
    let calls = 0;
    store.admin.prune = () => {
      calls++;
      throw new Error('not now');
    };
    const sessions = createSessions({ secret, store });
    for (const times of [1, 2]) {
      const failed = new Promise<{ error: unknown }>(resolve => sessions.on('failed', resolve));
      context.mock.timers.tick(15 * 60_000);
      assert.equal(((await failed).error as { code?: string }).code, 'ERR_STORE_FAILED');
      await new Promise(resolve => setImmediate(resolve));
      assert.equal(calls, times);
    }
    context.mock.timers.tick(4 * 60_000);
    assert.equal(calls, 2, 'too soon');
    await sessions.close();
    context.mock.timers.tick(60 * 60_000);
    assert.equal(calls, 2);
  });

  it('does not go on where close() came while the store was at it', async context => {
    enableTimers(context);
    const store = memoryStore();
    let calls = 0;
    const pruned = gateway<number>();
    store.admin.prune = () => {
      calls++;
      return pruned.opened;
    };
    const sessions = createSessions({ secret, store });
    context.mock.timers.tick(15 * 60_000);
    await sessions.close();
    pruned.open(10);
    await new Promise(resolve => setImmediate(resolve));
    context.mock.timers.tick(60 * 60_000);
    assert.equal(calls, 1);
  });
});
