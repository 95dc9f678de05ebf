// Sessions are copied from one store into another: all that live, nothing older over something newer, and as often as wanted.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MadeleineError, SessionRecord, SessionStore } from 'madeleine';
import { classicStore } from 'madeleine/classic';
import { memoryStore } from 'madeleine/memory';
import { type CopyProgress, copySessions, movingStore } from 'madeleine/moving';
import { sqliteStore } from 'madeleine/sqlite';
import { createTestClock, faultStore } from 'madeleine/testing';
import { createRace } from '../races/app.js';
import { temporaryFiles } from '../support/temporary-files.js';
import { memorystore } from './support/classic-stores.js';
import { sampleRecord } from './support/sample-record.js';

const freshFile = temporaryFiles('.db');
const now = Date.now();
const record = (changes: Partial<SessionRecord> = {}) => sampleRecord(now, changes);

async function filled(count: number): Promise<SessionStore & { admin: object }> {
  const store = memoryStore();
  for (let i = 0; i < count; i++) await store.create(`key-${i}`, record({ data: `${i}`, userId: `user-${i}` }));
  return store;
}

async function contents(store: SessionStore): Promise<Map<string, SessionRecord>> {
  const page = await store.admin?.page(null, 10_000);
  return new Map(page?.entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe('copySessions', () => {
  it('all of them, field by field, with the sums after each page', async () => {
    const [from, to] = [await filled(250), sqliteStore(freshFile())];
    await from.create('stone', record({ successor: 'key-1', data: '{"reason":"rotated"}', version: 9 }));
    const seen: CopyProgress[] = [];
    const end = await copySessions(from, to, { onProgress: progress => seen.push(progress) });
    assert.deepEqual(end, { copied: 251, present: 0, skipped: 0, cursor: null });
    assert.deepEqual(
      seen.map(({ copied, cursor }) => [copied, cursor === null]),
      [
        [100, false],
        [200, false],
        [251, true],
      ],
    );
    assert.deepEqual(await contents(to), await contents(from));
    to.close();
  });

  it('again changes nothing', async () => {
    const [from, to] = [await filled(50), memoryStore()];
    await copySessions(from, to);
    const before = await contents(to);
    assert.deepEqual(await copySessions(from, to), { copied: 0, present: 50, skipped: 0, cursor: null });
    assert.deepEqual(await contents(to), before);
  });

  it('goes on after a failure from where it had come', async () => {
    const [from, inner] = [await filled(250), memoryStore()];
    const to = faultStore(inner, ({ operation, index }) =>
      operation === 'create' && index === 170 ? { kind: 'fail' } : null,
    );
    let cursor: string | null = null;
    const onProgress = (progress: CopyProgress) => {
      cursor = progress.cursor;
    };
    await assert.rejects(copySessions(from, to, { onProgress }), { code: 'ERR_STORE_FAILED' });
    assert.notEqual(cursor, null);
    const calls = to.calls.length;
    const { copied, present } = await copySessions(from, to, { cursor });
    assert.equal(copied + present, 150, 'it began at the beginning');
    assert.ok(to.calls.length - calls < 300);
    assert.deepEqual(await contents(inner), await contents(from));
  });

  it('one that is refused does not stop the others, and is named', async () => {
    for (const move of [copySessions, (from: SessionStore, to: SessionStore) => movingStore(from, to).finish()]) {
      const [from, to] = [memoryStore(), memoryStore({ maxBytes: 1_000_000 })];
      await from.create('large', record({ data: 'x'.repeat(1_000_001) }));
      for (let i = 0; i < 250; i++) await from.create(`key-${i}`, record());
      await assert.rejects(
        async () => move(from, to),
        (error: MadeleineError) => {
          assert.equal(error.code, 'ERR_STORE_FAILED');
          assert.match(error.message, /^1 of the sessions .* handle large\b/);
          assert.equal((error.cause as MadeleineError).code, 'ERR_DATA_TOO_LARGE');
          return true;
        },
      );
      for (let i = 0; i < 250; i++) assert.deepEqual(await to.read(`key-${i}`), record());
      assert.notEqual(await from.read('large'), null);
    }
  });

  it('where one was refused it goes on later; where a hundred were, it stops', async () => {
    const [from, inner] = [await filled(350), memoryStore()];
    let [first, last] = [170, 170];
    const to = faultStore(inner, ({ operation, index }) =>
      operation === 'create' && index >= first && index <= last ? { kind: 'fail' } : null,
    );
    const seen: CopyProgress[] = [];
    const onProgress = (progress: CopyProgress) => seen.push(progress);
    await assert.rejects(copySessions(from, to, { onProgress }), { code: 'ERR_STORE_FAILED' });
    assert.equal(seen.length, 4);
    const [{ cursor }] = seen as [CopyProgress];
    assert.deepEqual(seen.at(-1), { copied: 349, present: 0, skipped: 0, cursor });
    assert.deepEqual(await copySessions(from, to, { cursor }), { copied: 1, present: 249, skipped: 0, cursor: null });
    [first, last] = [0, Number.POSITIVE_INFINITY];
    const calls = to.calls.length;
    await assert.rejects(copySessions(from, to), { message: /^100 of the sessions/ });
    assert.equal(to.calls.length - calls, 100);
  });

  it('never an older one over a newer one; a newer one over an older one; later times over earlier ones', async () => {
    const [from, to] = [memoryStore(), memoryStore()];
    await from.create('newer there', record({ version: 2, data: '"old"' }));
    await to.create('newer there', record({ version: 3, data: '"new"' }));
    await from.create('older there', record({ version: 3, data: '"new"' }));
    await to.create('older there', record({ version: 2, data: '"old"' }));
    await from.create('seen since', record({ lastSeenAt: now + 5, expiresAt: now + 5_000_000 }));
    await to.create('seen since', record());
    await from.create('seen there since', record());
    await to.create('seen there since', record({ lastSeenAt: now + 5, expiresAt: now + 5_000_000 }));
    await from.create('only seen', record({ lastSeenAt: now + 5, expiresAt: now + 5_000_000 }));
    await to.create('only seen', record({ expiresAt: now + 5_000_000 }));
    await from.create('only prolonged', record({ lastSeenAt: now + 5, expiresAt: now + 5_000_000 }));
    await to.create('only prolonged', record({ lastSeenAt: now + 5 }));
    // A store that answers later, to see that each answer is awaited.
    const slow = faultStore(to, () => ({ kind: 'delay', time: 1 }));
    assert.deepEqual(await copySessions(from, slow), { copied: 1, present: 5, skipped: 0, cursor: null });
    const { 'newer there': newer, 'older there': older, ...seen } = Object.fromEntries(await contents(to));
    assert.deepEqual([newer?.data, older?.data], ['"new"', '"new"']);
    for (const { lastSeenAt, expiresAt } of Object.values(seen)) {
      assert.deepEqual([lastSeenAt, expiresAt], [now + 5, now + 5_000_000]);
    }
  });

  it('what is written to the new one meanwhile is seen', async () => {
    const [from, inner] = [memoryStore(), memoryStore()];
    await from.create('key', record({ version: 3, data: '"copied"' }));
    await inner.create('key', record());
    // Somebody writes between the look and the replacement.
    const to = faultStore(inner, ({ operation, index }) => {
      if (operation === 'replace' && index === 0) void inner.replace('key', record({ version: 2 }), 1);
      return null;
    });
    assert.equal((await copySessions(from, to)).copied, 1);
    assert.equal((await inner.read('key'))?.data, '"copied"');
  });

  it('what is ended in the new one meanwhile does not come back', async () => {
    const [from, inner] = [memoryStore(), memoryStore()];
    await from.create('key', record({ version: 2 }));
    await inner.create('key', record());
    const to = faultStore(inner, ({ operation }) => {
      if (operation === 'read') void inner.delete('key');
      return null;
    });
    assert.deepEqual(await copySessions(from, to), { copied: 0, present: 1, skipped: 0, cursor: null });
    assert.equal(await inner.read('key'), null);
  });

  it('what a move that was interrupted has left to be brought over', async () => {
    const [from, inner] = [memoryStore(), memoryStore()];
    await from.create('key', record());
    const to = faultStore(inner, ({ operation }) => (operation === 'replace' ? { kind: 'fail' } : null));
    await assert.rejects(async () => movingStore(from, to).touch('key', now + 1, now + 2));
    assert.notEqual(await inner.read('key'), null);
    assert.deepEqual(await copySessions(from, inner), { copied: 1, present: 0, skipped: 0, cursor: null });
    assert.deepEqual(await inner.read('key'), record());
  });

  it('what has expired, and what nobody can read, stays behind', async () => {
    const clock = createTestClock(now);
    const [from, to] = [memoryStore({ clock }), memoryStore({ clock })];
    await from.create('live', record({ expiresAt: now + 2 }));
    await from.create('expired', record({ expiresAt: now + 1 }));
    await from.create('poison', record({ version: 'one' as unknown as number }));
    clock.advance(1);
    assert.deepEqual(await copySessions(from, to, { clock }), { copied: 1, present: 0, skipped: 2, cursor: null });
    assert.deepEqual([...(await contents(to)).keys()], ['live']);
  });

  it('nobody is logged out', async () => {
    const [old, fresh] = [freshFile(), freshFile()];
    const before = await createRace(sqliteStore(old));
    const client = before.client();
    await client.get('/add/tea');
    await client.get('/login/ada');
    await before.close();
    const [from, to] = [sqliteStore(old), sqliteStore(fresh)];
    await copySessions(from, to);
    from.close();
    const later = await createRace(to);
    assert.deepEqual((await client.tab(later.url).get('/data')).json(), { cart: ['tea'], userId: 'ada' });
    await later.close();
  });

  it('lets others run between the pages', async () => {
    const [from, to] = [await filled(350), memoryStore()];
    let copied = 0;
    let seenByOthers: number | null = null;
    setImmediate(() => {
      seenByOthers = copied;
    });
    await copySessions(from, to, {
      onProgress: progress => {
        copied = progress.copied;
      },
    });
    assert.equal(seenByOthers, 100);
  });

  it('refuses what cannot be', async () => {
    const store = memoryStore();
    await assert.rejects(copySessions(classicStore(memorystore()), store), { code: 'ERR_STORE_NO_ADMIN' });
    await assert.rejects(copySessions(store, {} as SessionStore), { code: 'ERR_STORE_INVALID', message: /to copy to/ });
    await assert.rejects(copySessions(null as unknown as SessionStore, store), {
      code: 'ERR_STORE_INVALID',
      message: /to copy from/,
    });
    await assert.rejects(copySessions(store, store, { onprogress() {} } as object), { code: 'ERR_OPTION_UNKNOWN' });
  });
});
