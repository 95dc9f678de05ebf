/** What must be true of the five methods of every store. */
import assert from 'node:assert/strict';
import type { Replaced } from '../session/store.ts';
import {
  HOSTILE_DATA,
  HOSTILE_TEXTS,
  HOUR,
  namedChecks,
  type StoreCheck,
  sample,
  variedSamples,
} from './store-samples.ts';

const RACERS = 100;

/** Starts all at once, the synchronous ones included, and waits for all. */
function race<T>(start: (racer: number) => T | Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: RACERS }, async (_, racer) => start(racer)));
}

const checks: Record<string, StoreCheck['run']> = {
  'read: what was never there is null': async store => {
    assert.equal(await store.read('absent'), null);
  },

  'create: every field comes back as it went in': async (store, clock) => {
    for (const [index, record] of variedSamples(clock).entries()) {
      assert.equal(await store.create(`key-${index}`, record), true);
    }
    for (const [index, record] of variedSamples(clock).entries()) {
      assert.deepEqual(await store.read(`key-${index}`), record);
    }
  },

  'create: never overwrites': async (store, clock) => {
    const first = sample(clock, { data: '"first"', userId: 'user-1' });
    assert.equal(await store.create('key', first), true);
    assert.equal(await store.create('key', sample(clock, { data: '"second"', version: 9 })), false);
    assert.deepEqual(await store.read('key'), first);
  },

  'create: of many at once, exactly one wins': async (store, clock) => {
    const won = await race(racer => store.create('key', sample(clock, { data: `${racer}` })));
    assert.equal(won.filter(Boolean).length, 1);
    assert.equal((await store.read('key'))?.data, `${won.indexOf(true)}`);
  },

  'replace: stores every field when the version is the expected one': async (store, clock) => {
    for (const [index, record] of variedSamples(clock).entries()) {
      const key = `key-${index}`;
      await store.create(key, sample(clock, { version: 4, userId: 'someone', expiresAt: clock() + 2 * HOUR }));
      assert.equal((await store.replace(key, { ...record, version: 5 }, 4)).ok, true);
      assert.deepEqual(await store.read(key), { ...record, version: 5 });
    }
  },

  'replace: a record that differs in one field beside its version is stored, whichever field that is': async (
    store,
    clock,
  ) => {
    const plain = sample(clock);
    const [earlier, later] = [clock() - 1, clock() + HOUR + 1];
    const times = { createdAt: earlier, authenticatedAt: earlier, lastSeenAt: later, expiresAt: later };
    const device = { address: '192.0.2.1' };
    const others = { ...times, data: '"other"', userId: 'user-1', remember: true, device, successor: 'next' };
    for (const [field, value] of Object.entries(others)) {
      const other = { ...plain, [field]: value };
      for (const [index, [before, after]] of [[plain, other] as const, [other, plain] as const].entries()) {
        const key = `${field}-${index}`;
        await store.create(key, before);
        assert.equal((await store.replace(key, { ...after, version: 2 }, 1)).ok, true);
        assert.deepEqual(await store.read(key), { ...after, version: 2 });
      }
    }
  },

  'replace: refuses any other version, says what stands there, and changes nothing': async (store, clock) => {
    const record = sample(clock, { version: 3, userId: 'user-1', device: { address: '192.0.2.1' } });
    await store.create('key', record);
    for (const expected of [2, 4, 0, -1]) {
      const next = { version: expected + 1, data: '"lost"' };
      // Also where the data alone would change: a store may have a shorter way for that.
      for (const lost of [sample(clock, next), { ...record, ...next }]) {
        const refused: Replaced = await store.replace('key', lost, expected);
        assert.deepEqual(refused, { ok: false, current: record });
      }
    }
    assert.deepEqual(await store.read('key'), record);
  },

  'replace: never brings anything back': async (store, clock) => {
    const record = sample(clock);
    assert.deepEqual(await store.replace('never', { ...record, version: 2 }, 1), { ok: false, current: null });
    await store.create('deleted', record);
    await store.delete('deleted');
    assert.deepEqual(await store.replace('deleted', { ...record, version: 2 }, 1), { ok: false, current: null });
    assert.equal(await store.read('never'), null);
    assert.equal(await store.read('deleted'), null);
  },

  'replace: of many at once with the same version, exactly one wins': async (store, clock) => {
    await store.create('key', sample(clock));
    const outcomes = await race(racer => store.replace('key', sample(clock, { version: 2, data: `${racer}` }), 1));
    assert.equal(outcomes.filter(({ ok }) => ok).length, 1);
    const current = await store.read('key');
    assert.equal(current?.data, `${outcomes.findIndex(({ ok }) => ok)}`);
    for (const outcome of outcomes) if (!outcome.ok) assert.deepEqual(outcome.current, current);
  },

  'replace: one that races a delete does not undo it': async (store, clock) => {
    for (let round = 0; round < 20; round++) {
      const key = `key-${round}`;
      await store.create(key, sample(clock));
      const replace = async () => store.replace(key, sample(clock, { version: 2 }), 1);
      const remove = async () => store.delete(key);
      const started = round % 2 === 0 ? [replace(), remove()] : [remove(), replace()];
      assert.ok((await Promise.all(started)).includes(true), 'the record was there to delete');
      assert.equal(await store.read(key), null);
    }
  },

  'touch: moves both times forward and changes nothing else': async (store, clock) => {
    const record = sample(clock, { version: 7, userId: 'user-1', device: { userAgent: 'x' }, remember: true });
    await store.create('key', record);
    const [lastSeenAt, expiresAt] = [record.lastSeenAt + 60_000, record.expiresAt + 60_000];
    assert.equal(await store.touch('key', lastSeenAt, expiresAt), true);
    assert.deepEqual(await store.read('key'), { ...record, lastSeenAt, expiresAt });
  },

  'touch: never moves either time back': async (store, clock) => {
    const record = sample(clock);
    const { lastSeenAt, expiresAt } = record;
    await store.create('key', record);
    assert.equal(await store.touch('key', lastSeenAt - 1, expiresAt - 1), true);
    assert.deepEqual(await store.read('key'), record);
    assert.equal(await store.touch('key', lastSeenAt + 5, expiresAt - 1), true);
    assert.deepEqual(await store.read('key'), { ...record, lastSeenAt: lastSeenAt + 5 });
    assert.equal(await store.touch('key', lastSeenAt, expiresAt + 5), true);
    assert.deepEqual(await store.read('key'), { ...record, lastSeenAt: lastSeenAt + 5, expiresAt: expiresAt + 5 });
  },

  'touch: never brings anything back': async (store, clock) => {
    assert.equal(await store.touch('never', clock(), clock() + HOUR), false);
    await store.create('deleted', sample(clock));
    await store.delete('deleted');
    assert.equal(await store.touch('deleted', clock(), clock() + HOUR), false);
    assert.equal(await store.read('never'), null);
    assert.equal(await store.read('deleted'), null);
  },

  'delete: removes one record, says whether it was there, and may be repeated': async (store, clock) => {
    await store.create('key', sample(clock));
    await store.create('other', sample(clock));
    assert.equal(await store.delete('key'), true);
    assert.equal(await store.read('key'), null);
    assert.equal(await store.delete('key'), false);
    assert.equal(await store.delete('never'), false);
    assert.deepEqual(await store.read('other'), sample(clock));
  },

  'delete: of many at once, exactly one was first': async (store, clock) => {
    await store.create('key', sample(clock));
    const removed = await race(() => store.delete('key'));
    assert.equal(removed.filter(Boolean).length, 1);
  },

  'delete: the key can be used again, and the new record is a new one': async (store, clock) => {
    await store.create('key', sample(clock, { version: 5, userId: 'user-1' }));
    await store.delete('key');
    assert.equal(await store.create('key', sample(clock)), true);
    assert.deepEqual(await store.read('key'), sample(clock));
  },

  'records go in by value': async (store, clock) => {
    // The last is a login, for which a store may have another way than for a change of the data.
    for (const [version, userId] of [[1, null] as const, [2, null] as const, [3, 'user-1'] as const]) {
      const record = sample(clock, { version, userId, device: { address: `192.0.2.${version}` } });
      const kept = structuredClone(record);
      await (version === 1 ? store.create('key', record) : store.replace('key', record, version - 1));
      record.data = '"changed"';
      record.version = 99;
      record.device!.address = 'changed';
      assert.deepEqual(await store.read('key'), kept);
    }
  },

  'records come out by value': async (store, clock) => {
    const original = () => sample(clock, { device: { address: '192.0.2.1' } });
    await store.create('key', original());
    const read = await store.read('key');
    const refused = await store.replace('key', sample(clock), 9);
    for (const record of [read, refused.ok ? null : refused.current]) {
      assert.ok(record?.device);
      record.version = 99;
      record.device.address = 'changed';
    }
    assert.deepEqual(await store.read('key'), original());
  },

  'keys are opaque: each text is one key and only that': async (store, clock) => {
    const record = (key: string) => sample(clock, { data: JSON.stringify(key) });
    for (const key of HOSTILE_TEXTS) {
      assert.equal(await store.read(key), null, JSON.stringify(key));
      assert.equal(await store.create(key, record(key)), true, JSON.stringify(key));
    }
    for (const key of HOSTILE_TEXTS) assert.deepEqual(await store.read(key), record(key));
    for (const [index, key] of HOSTILE_TEXTS.entries()) {
      assert.equal(await store.touch(key, clock(), clock() + 2 * HOUR), true);
      assert.equal((await store.replace(key, { ...record(key), version: 2 }, 1)).ok, true);
      assert.equal(await store.delete(key), true);
      const next = HOSTILE_TEXTS[index + 1];
      if (next !== undefined) assert.deepEqual(await store.read(next), record(next));
    }
  },

  'data is opaque: every text comes back unchanged, up to a million characters': async (store, clock) => {
    const large = 'm🍰é"\\\n'.repeat(142_858);
    for (const [index, data] of [...HOSTILE_DATA, large].entries()) {
      await store.create(`created-${index}`, sample(clock, { data }));
      assert.equal((await store.read(`created-${index}`))?.data, data);
      await store.create(`replaced-${index}`, sample(clock));
      await store.replace(`replaced-${index}`, sample(clock, { version: 2, data }), 1);
      assert.equal((await store.read(`replaced-${index}`))?.data, data);
    }
  },

  'an expired record is there as it was, or gone; it is never in the way': async (store, clock) => {
    const record = sample(clock);
    await store.create('expired', record);
    await store.create('live', sample(clock, { expiresAt: clock() + 3 * HOUR }));
    clock.advance(2 * HOUR);
    assert.notEqual(await store.read('live'), null);
    const found = await store.read('expired');
    if (found !== null) {
      assert.deepEqual(found, record);
      await store.delete('expired');
    }
    assert.equal(await store.create('expired', sample(clock)), true);
    assert.deepEqual(await store.read('expired'), sample(clock));
  },

  'close: twice is harmless': async store => {
    await store.close?.();
    await store.close?.();
  },
};

export const basicChecks: readonly StoreCheck[] = namedChecks(checks, false);
