// A session that is asked for again and again is not parsed again and again. Whoever asks has what the store holds all the same,
// and an own copy of it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createSessions, type SessionRecord, type Sessions } from 'madeleine';
import { memoryStore } from 'madeleine/memory';
import { loginAs } from 'madeleine/testing';

const secret = 'a secret of more than thirty-two bytes';
const facts = { secure: false, device: () => null };
type Data = Record<string, unknown>;

async function stored(store: ReturnType<typeof memoryStore>): Promise<[handle: string, record: SessionRecord]> {
  const { entries } = await store.admin.page(null, 1);
  return entries[0] as [string, SessionRecord];
}

/** As JSON.stringify spells it, whoever wrote it. */
const spelled = (text: string) => JSON.stringify(JSON.parse(text));

async function headerWith<Held extends object>(sessions: Sessions<Held>, data: Held): Promise<string> {
  const { header } = await loginAs(sessions, 'ada');
  const opened = await sessions.open(header, facts);
  Object.assign(opened.session, data);
  await opened.commit();
  return header;
}

describe('a session that was read lately', () => {
  it('holds what the store holds, whoever wrote it, request after request', async () => {
    const words = fc.constantFrom('a', 'b', 'n', 'constructor', '1');
    const simple = fc.oneof(fc.integer(), fc.constantFrom(-0, 0.5, 'x', '"', 'ü', '\ud800', ',"n":1', '', true, null));
    const value = fc.oneof(
      { weight: 3, arbitrary: simple },
      { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }).map(one => JSON.parse(JSON.stringify(one))) },
    );
    const step = fc.record({
      what: fc.constantFrom('read', 'set', 'set', 'set', 'delete', 'deep', 'twice', 'at once', 'elsewhere'),
      key: words,
      value,
      other: value,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(words, value),
        fc.array(step, { minLength: 3, maxLength: 25 }),
        async (data, steps) => {
          const store = memoryStore();
          const sessions = createSessions({ secret, store });
          const { header } = await loginAs(sessions, 'ada');
          const [handle] = await stored(store);
          const open = async () => (await sessions.open(header, facts)) as { session: Data; commit(): unknown };
          /** What whoever has no memory of it would read. */
          const truth = async () => (await stored(store))[1].data;
          const first = await open();
          Object.assign(first.session, data);
          await first.commit();

          for (const { what, key, value, other } of steps) {
            const one = await open();
            const before = await truth();
            assert.deepEqual(Object.entries(one.session), Object.entries(JSON.parse(before)));
            if (what === 'set' || what === 'twice') one.session[key] = value;
            if (what === 'delete') delete one.session[key];
            if (what === 'deep')
              for (const held of Object.values(one.session)) if (Array.isArray(held)) held.push(value);
            if (what === 'elsewhere') {
              const [, record] = await stored(store);
              const text = JSON.stringify({ ...JSON.parse(before), [key]: value }, null, other === null ? 1 : 0);
              await store.replace(handle, { ...record, data: text, version: record.version + 1 }, record.version);
            }
            if (what === 'at once') {
              const neighbour = await open();
              neighbour.session[key] = other;
              one.session['own'] = value;
              await neighbour.commit();
              await one.commit();
              const wanted = { ...JSON.parse(before), [key]: other, own: value };
              assert.deepEqual(JSON.parse(await truth()), JSON.parse(JSON.stringify(wanted)));
              continue;
            }
            const wanted = what === 'elsewhere' ? JSON.parse(await truth()) : { ...one.session };
            await one.commit();
            if (what === 'twice') {
              one.session[key] = other;
              await one.commit();
              assert.equal(spelled(await truth()), JSON.stringify(one.session));
            } else assert.equal(spelled(await truth()), JSON.stringify(wanted));
          }
          await sessions.close();
        },
      ),
      { numRuns: 400 },
    );
  });

  it('is the own of each request, down to the last list in it', async () => {
    const sessions = createSessions<{ cart: { items: string[][] } }>({ secret, store: memoryStore() });
    const header = await headerWith(sessions, { cart: { items: [['tea']] } });
    for (let request = 0; request < 5; request++) {
      const { session } = await sessions.open(header, facts);
      assert.deepEqual({ ...session }, { cart: { items: [['tea']] } });
      // Not saved: the next must not see it.
      session.cart?.items[0]?.push('milk');
      session.cart?.items.push(['honey']);
      Object.assign(session.cart as object, { total: 3 });
    }
    await sessions.close();
  });

  it('is not taken for unchanged when something plain gives way to what JSON would make the same of', async () => {
    const sessions = createSessions<Data>({ secret, store: memoryStore() });
    const header = await headerWith(sessions, { plain: {}, list: [] });
    for (const [key, value] of [
      ['plain', new Date(0)],
      ['plain', new Map([['tea', 1]])],
      ['list', new Set(['tea'])],
    ] as const) {
      const opened = await sessions.open(header, facts);
      opened.session[key] = value;
      await assert.rejects(async () => opened.commit(), { code: 'ERR_DATA_NOT_JSON' });
    }
    const opened = await sessions.open(header, facts);
    opened.session['list'] = { length: 0 };
    await opened.commit();
    assert.deepEqual({ ...(await sessions.open(header, facts)).session }, { plain: {}, list: { length: 0 } });
    await sessions.close();
  });

  it('that somebody else wrote meanwhile, over whose change this one goes, holds this one', async () => {
    const sessions = createSessions<Data>({ secret, store: memoryStore(), concurrency: 'last-write-wins' });
    const header = await headerWith(sessions, { n: 0, cart: ['tea'] });
    const read = async () => ({ ...(await sessions.open(header, facts)).session });
    await read();
    await read();
    const late = await sessions.open(header, facts);
    late.session['n'] = 1;
    const early = await sessions.open(header, facts);
    early.session['cart'] = ['milk', 'honey'];
    await early.commit();
    await read();
    await read();
    await late.commit();
    for (let time = 0; time < 3; time++) assert.deepEqual(await read(), { n: 1, cart: ['tea'] });
    await sessions.close();
  });

  it('loses no change of two requests at once, after others', async () => {
    const sessions = createSessions<Data>({ secret, store: memoryStore() });
    const header = await headerWith(sessions, { n: 0, m: 0, text: 'tea' });
    for (let n = 1; n <= 10; n++) {
      const [one, other] = [await sessions.open(header, facts), await sessions.open(header, facts)];
      one.session['n'] = 10 ** n;
      other.session['m'] = 100 ** n;
      await one.commit();
      await other.commit();
      const { session } = await sessions.open(header, facts);
      assert.deepEqual({ ...session }, { n: 10 ** n, m: 100 ** n, text: 'tea' });
    }
    await sessions.close();
  });

  it('takes over nothing of what somebody has given all objects', async () => {
    const sessions = createSessions<Data>({ secret, store: memoryStore() });
    const header = await headerWith(sessions, { cart: [{ item: 'tea' }] });
    const cart = async () => (await sessions.open(header, facts)).session['cart'] as object[];
    for (let request = 0; request < 3; request++) await cart();
    const everything = Object.prototype as { given?: object };
    // Not until the end of the test, which on Deno is the end of them all.
    everything.given = {};
    const keys = await cart().then(items => items.map(Object.keys));
    delete everything.given;
    assert.deepEqual(keys, [['item']]);
    await sessions.close();
  });

  it('is parsed twice, and then no more, also when plain values in it change', async t => {
    const parse = t.mock.method(JSON, 'parse');
    const sessions = createSessions<Data>({ secret, store: memoryStore() });
    const header = await headerWith(sessions, { n: 0, cart: ['tea'] });
    const counts: number[] = [];
    for (let request = 1; request <= 6; request++) {
      const before = parse.mock.callCount();
      const opened = await sessions.open(header, facts);
      assert.deepEqual({ ...opened.session }, { n: Math.max(0, request - 4), cart: ['tea'] });
      if (request >= 4) opened.session['n'] = request - 3;
      await opened.commit();
      counts.push(parse.mock.callCount() - before);
    }
    assert.deepEqual(counts, [1, 1, 0, 0, 0, 0]);
    await sessions.close();
  });

  it('is saved in one pass, however many of its values change', async () => {
    // At each of them over the whole text, this would take minutes.
    const sessions = createSessions<Data>({ secret, store: memoryStore() });
    const numbers = (n: number) =>
      Object.fromEntries(Array.from({ length: 30_000 }, (_, index) => [`key ${index}`, n]));
    const header = await headerWith(sessions, numbers(1));
    for (const n of [1_000, 7, 123_456]) {
      const opened = await sessions.open(header, facts);
      Object.assign(opened.session, numbers(n));
      await opened.commit();
    }
    assert.deepEqual({ ...(await sessions.open(header, facts)).session }, numbers(123_456));
    await sessions.close();
  });
});
