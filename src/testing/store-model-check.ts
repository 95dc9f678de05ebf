/** A thousand random operations, each answered by the store as by the simplest thing that could be right. */
import assert from 'node:assert/strict';
import type { SessionRecord } from '../session/record.ts';
import type { Replaced, SessionStore } from '../session/store.ts';
import type { TestClock } from './clock.ts';
import { everything, HOUR, type StoreCheck, sample } from './store-samples.ts';

const OPERATIONS = 1_000;
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];
const USERS = [null, 'user-1', 'user-2'];

/** The contract as plainly as it can be said. Nothing expires in this check, so the model knows no time. */
class Model {
  readonly records = new Map<string, SessionRecord>();

  read(key: string): SessionRecord | null {
    return this.records.get(key) ?? null;
  }

  create(key: string, record: SessionRecord): boolean {
    if (this.records.has(key)) return false;
    this.records.set(key, record);
    return true;
  }

  replace(key: string, record: SessionRecord, expected: number): Replaced {
    const current = this.read(key);
    if (current?.version !== expected) return { ok: false, current };
    this.records.set(key, record);
    return { ok: true };
  }

  touch(key: string, lastSeenAt: number, expiresAt: number): boolean {
    const old = this.read(key);
    if (!old) return false;
    const times = { lastSeenAt: Math.max(old.lastSeenAt, lastSeenAt), expiresAt: Math.max(old.expiresAt, expiresAt) };
    this.records.set(key, { ...old, ...times });
    return true;
  }

  delete(key: string): boolean {
    return this.records.delete(key);
  }
}

/**
 * Numbers that look random and are the same for the same seed (mulberry32). Our own, and not a property-test library's, so
 * that `madeleine/testing` brings no dependency along; an operation that goes wrong is named with its seed and number.
 */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

async function compareWithModel(store: SessionStore, clock: TestClock, seed: number): Promise<void> {
  const random = randomNumbers(seed);
  const model = new Model();
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const record = (version: number) => {
    const expiresAt = clock() + HOUR + random(10);
    return sample(clock, {
      version,
      userId: pick(USERS),
      data: `${random(1000)}`,
      lastSeenAt: clock() + random(10),
      expiresAt,
    });
  };

  for (let step = 0; step < OPERATIONS; step++) {
    const key = pick(KEYS);
    const version = model.read(key)?.version ?? 1;
    const expected = random(4) === 0 ? random(5) : version;
    const fresh = record(1);
    const next = record(expected + 1);
    const times = [clock() + random(20), clock() + HOUR + random(20)] as const;
    const operations = {
      read: (on: SessionStore) => on.read(key),
      create: (on: SessionStore) => on.create(key, fresh),
      replace: (on: SessionStore) => on.replace(key, next, expected),
      touch: (on: SessionStore) => on.touch(key, ...times),
      delete: (on: SessionStore) => on.delete(key),
    };
    // Deletes are the rarest, so that records live long enough for something to happen to them.
    const name = pick([
      'read',
      'create',
      'replace',
      'replace',
      'replace',
      'touch',
      'touch',
      'create',
      'delete',
    ] as const);
    const where = `${name}, operation ${step} of seed ${seed}`;
    assert.deepEqual(await operations[name](store), await operations[name](model), where);
    assert.deepEqual(await store.read(key), model.read(key), `read after ${where}`);
  }
  if (store.admin) assert.deepEqual(new Map(await everything(store)), model.records);
}

export const modelCheck: StoreCheck = {
  name: `${OPERATIONS} random operations are answered as by a model`,
  admin: false,
  run: (store, clock) => compareWithModel(store, clock, 1913),
};
