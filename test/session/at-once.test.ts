// What several requests do to one session at the same moment.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, it } from 'node:test';
import { memoryStore } from 'madeleine/memory';
import { faultStore } from 'madeleine/testing';
import { type Opened, sessionsOver } from '../support/core-sessions.ts';

/** The first write is answered a little later, so that those that come meanwhile go together in the second. */
const slowAtFirst = (second?: 'drop') =>
  faultStore(memoryStore(), ({ operation, index }) => {
    if (operation !== 'replace') return null;
    if (index === 0) return { kind: 'late', time: 1 };
    return index === 1 && second ? { kind: second } : null;
  });

const add = (session: Opened['session'], item: string) => void (session['cart'] as string[]).push(item);

describe('regenerate(keep), while another request', () => {
  const others: Record<string, { act: (session: Opened['session']) => unknown; kept: object; cookie: boolean }> = {
    'adds to what is kept': {
      act: session => add(session, 'cake'),
      kept: { cart: ['tea', 'cake', 'jam'] },
      cookie: true,
    },
    'logs out': { act: session => session.logout(), kept: {}, cookie: false },
    'logs in': { act: session => session.login('ada'), kept: {}, cookie: false },
  };
  for (const [name, { act, kept, cookie }] of Object.entries(others)) {
    it(name, async () => {
      const { open, answer, begin } = sessionsOver(memoryStore());
      const before = await begin({ cart: ['tea'], theme: 'dark' });
      const [first, second] = [await open(before), await open(before)];
      add(second.session, 'jam');
      await act(first.session);
      await answer(first);
      await second.session.regenerate(['cart']);
      assert.deepEqual({ ...second.session }, kept);
      const after = await answer(second);
      assert.equal(after !== undefined, cookie);
      if (after !== undefined) assert.deepEqual({ ...(await open(after)).session }, kept);
    });
  }

  it('refuses what is no list of keys: a text would keep each key that is a part of it', async () => {
    const { open, begin } = sessionsOver(memoryStore());
    const { session } = await open(await begin({ cart: 'tea', art: 'still life' }));
    const keys = 'cart' as unknown as string[];
    await assert.rejects(session.regenerate(keys), {
      code: 'ERR_OPTION_INVALID',
      message: /"keep" is not a list of keys/,
    });
    assert.deepEqual({ ...session }, { cart: 'tea', art: 'still life' });
  });
});

it('a write that several share, and whose answer is lost, is known by each of them for its own', async () => {
  const store = slowAtFirst('drop');
  const { open, answer, begin } = sessionsOver(store);
  const cookie = await begin({ cart: ['tea'] });
  const all = await Promise.all(['1', '2', '3', '4'].map(async item => ({ item, opened: await open(cookie) })));
  const saves = all.map(({ item, opened }) => {
    add(opened.session, item);
    return opened.session.save();
  });
  const lost = (await Promise.allSettled(saves)).filter(({ status }) => status === 'rejected');
  assert.equal(lost.length, 3);
  for (const { opened } of all) await answer(opened);
  assert.deepEqual((await open(cookie)).session['cart'], ['tea', '1', '2', '3', '4']);
});

describe('update() by a function that changes nothing', () => {
  it('is given what others wrote since the request began', async () => {
    const { open, answer, begin } = sessionsOver(memoryStore());
    const cookie = await begin({ cart: ['tea'] });
    const [first, second] = [await open(cookie), await open(cookie)];
    add(first.session, 'cake');
    await answer(first);
    assert.equal(await second.session.update(data => (data['cart'] as string[]).length), 2);
  });

  it('fails where another request has logged out since', async () => {
    const { open, begin } = sessionsOver(memoryStore());
    const cookie = await begin({ admin: true });
    const [first, second] = [await open(cookie), await open(cookie)];
    await first.session.logout();
    await assert.rejects(
      second.session.update(data => data['admin']),
      { code: 'ERR_SESSION_ENDED' },
    );
  });
});

it('a function that waits in line runs in the context of the request that gave it', async () => {
  const context = new AsyncLocalStorage<string>();
  const { open, begin } = sessionsOver(slowAtFirst());
  const cookie = await begin({ visits: 0 });
  const opened = await Promise.all(
    ['1', '2', '3'].map(async name => ({ name, session: (await open(cookie)).session })),
  );
  const seen = opened.map(({ name, session }) =>
    context.run(name, () =>
      session.update(data => {
        data['visits'] = (data['visits'] as number) + 1;
        return context.getStore();
      }),
    ),
  );
  assert.deepEqual(await Promise.all(seen), ['1', '2', '3']);
  assert.equal((await open(cookie)).session['visits'], 3);
});

it('revokeAll() ends a session whose id is rotated at that moment, in a store that looks up the keys first', async () => {
  const store = memoryStore();
  const { sessions, open, answer, begin } = sessionsOver(store);
  const first = await open(await begin({ cart: 'tea' }));
  await first.session.login('ada');
  const rotating = await open(await answer(first));
  let after: string | undefined;
  store.admin.deleteByUser = async user => {
    const keys = (await store.admin.byUser(user)).map(([key]) => key);
    if (after === undefined) {
      await rotating.session.rotate();
      after = await answer(rotating);
    }
    let ended = 0;
    for (const key of keys) if ((await store.read(key))?.userId === user && (await store.delete(key))) ended++;
    return ended;
  };
  await sessions.revokeAll('ada');
  assert.deepEqual(await sessions.list('ada'), []);
  assert.equal((await open(after)).session.about.userId, null);
});
