// Sessions that travel in the cookie, through real HTTP: what holds as with any store, and what documents say cannot hold.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ExpressSessionOptions, session } from 'madeleine/express';
import { memoryStore } from 'madeleine/memory';
import { type SealedCookieOptions, sealedCookieStore } from 'madeleine/sealed-cookie';
import { createTestClock } from 'madeleine/testing';
import type { Client } from '../support/client.ts';
import { EXPRESSES } from '../support/expresses.ts';
import { openSealed, SECRET, type SealedApp, until } from './support/sealed-app.ts';

const MINUTE = 60_000;
const HTTPS = { headers: { 'x-forwarded-proto': 'https' } };
const bytesOf = (jar: Map<string, string>): number[] => [...jar].map(([name, value]) => name.length + value.length);
const data = async (client: Client): Promise<Record<string, unknown>> => (await client.get('/data')).json();

for (const { name, express } of EXPRESSES) {
  describe(`sealed cookie, ${name}`, () => {
    let app: SealedApp;
    before(async () => {
      app = await openSealed({}, {}, express);
    });
    after(() => app.close());

    it('B12 the default cookie over https; C12 nothing of it can be read; C7 no two seals are equal', async () => {
      const client = app.client();
      const first = await client.get('/put/theme/canary-7c1f', HTTPS);
      assert.match(
        first.setCookies.join(),
        /^__Host-session=1\.[\w-]+; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
        'one line, no Max-Age',
      );
      assert.equal(first.headers['cache-control'], 'no-store');
      await client.get('/login/canary-user', HTTPS);
      const one = client.jar.get('__Host-session') as string;
      await client.get('/put/theme/canary-7c1f', HTTPS);
      assert.equal((await client.get('/about', HTTPS)).json()['userId'], 'canary-user');
      for (const text of [one, Buffer.from(one.slice(2), 'base64url').toString('latin1')]) {
        for (const canary of ['canary', 'theme', '127.0.0.1', String(Date.UTC(2026, 0, 1))]) {
          assert.ok(!text.includes(canary), canary);
        }
      }
      const again = app.client();
      const values = new Set<string>();
      for (let i = 0; i < 3; i++) {
        again.jar.clear();
        await again.get('/put/a/b');
        values.add(again.jar.get('session') as string);
      }
      assert.equal(values.size, 3);
    });

    it('F4 reading sets no cookie; a visitor who stores nothing has none; J4 what looked varies by cookie', async () => {
      const client = app.client();
      assert.deepEqual((await client.get('/data')).setCookies, []);
      await client.get('/put/a/b');
      const answer = await client.get('/data');
      assert.deepEqual(answer.setCookies, []);
      assert.equal(answer.headers.vary, 'Cookie');
      assert.equal((await client.get('/look')).headers.vary, undefined);
    });

    it('login carries what was gathered under a fresh id, and logout empties the browser', async () => {
      const client = app.client();
      await client.get('/put/cart/cake');
      const { handle } = (await client.get('/about')).json();
      assert.deepEqual((await client.get('/login/ada')).json(), { cart: 'cake' });
      const about = (await client.get('/about')).json();
      assert.equal(about['userId'], 'ada');
      assert.notEqual(about['handle'], handle);
      assert.deepEqual((await client.get('/login/eve')).json(), {}, "another user's data stays behind");
      await client.get('/logout');
      assert.equal(client.jar.size, 0);
      assert.deepEqual(await data(client), { userId: null });
      assert.ok(!app.events.includes('forged'), 'each cookie was ours');
    });

    it('rotate, regenerate, reload, flash', async () => {
      const client = app.client();
      await client.get('/put/cart/cake');
      const old = client.jar.get('session');
      assert.deepEqual((await client.get('/rotate')).json(), { cart: 'cake' });
      assert.notEqual(client.jar.get('session'), old);
      assert.deepEqual((await client.get('/reload')).json(), { cart: 'cake' });
      await client.get('/say/hello');
      assert.deepEqual((await client.get('/hear')).json(), ['hello']);
      assert.deepEqual((await client.get('/hear')).json(), []);
      await client.get('/regenerate');
      assert.equal(client.jar.size, 0);
      assert.equal((await client.get('/reload')).json()['code'], 'ERR_SESSION_ENDED');
    });

    it('within one request nothing is lost: saves and updates merge', async () => {
      const client = app.client();
      await client.get('/put/cart/cake');
      await client.get('/both');
      assert.deepEqual(await data(client), { cart: 'cake', saved: 'first', visits: 3, changed: 'last', userId: null });
    });

    it('what two tabs change at once is not merged: the response that comes last is what the browser keeps', async () => {
      const client = app.client();
      await client.get('/put/cart/cake');
      const tab = client.tab();
      await client.get('/put/first/1');
      await tab.get('/put/second/2');
      client.jar.set('session', tab.jar.get('session') as string);
      assert.deepEqual(await data(client), { cart: 'cake', second: '2', userId: null });
    });

    it('E1 fixation: a cookie planted before the login knows nothing of it', async () => {
      const attacker = app.client();
      await attacker.get('/put/cart/bait');
      const victim = attacker.tab();
      await victim.get('/login/ada');
      assert.deepEqual(await data(attacker), { cart: 'bait', userId: null });
    });

    it('C10 without revocation a copy made before the logout goes on, and revoke says that it cannot', async () => {
      const client = app.client();
      await client.get('/login/ada');
      const { handle } = (await client.get('/about')).json<{ handle: string }>();
      const copy = client.tab();
      await client.get('/logout');
      assert.equal((await data(copy))['userId'], 'ada');
      const noAdmin = { code: 'ERR_STORE_NO_ADMIN' };
      await assert.rejects(app.remember.sessions.revoke(handle), noAdmin);
      await assert.rejects(app.remember.sessions.revokeAll('ada'), noAdmin);
      await assert.rejects(app.remember.sessions.list('ada'), noAdmin);
      assert.equal(await app.remember.sessions.prune(), 0);
    });

    describe('size', () => {
      it('above 4 KB it takes two cookies, each as large as browsers allow; what is not needed is cleared', async () => {
        const client = app.client();
        const answer = await client.get('/fill/4500', HTTPS);
        assert.deepEqual([...client.jar.keys()], ['other', '__Host-session', '__Host-session.2'], 'B14 others survive');
        assert.ok(bytesOf(client.jar).every(bytes => bytes <= 4096));
        assert.equal(Math.max(...bytesOf(client.jar)), 4096, 'B7');
        const attributes = '; Path=/; Secure; HttpOnly; SameSite=Lax';
        assert.ok(answer.setCookies.slice(1).every(line => line.endsWith(attributes)));
        assert.equal(String((await client.get('/data', HTTPS)).json()['filling']).length, 4500);

        const smaller = await client.get('/fill/10', HTTPS);
        assert.deepEqual([...client.jar.keys()], ['other', '__Host-session']);
        assert.deepEqual(
          smaller.setCookies.filter(line => line.includes('Max-Age=0')),
          [`__Host-session.2=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT${attributes}`],
        );
        await client.get('/fill/4500', HTTPS);
        await client.get('/logout', HTTPS);
        assert.deepEqual([...client.jar.keys()], ['other'], 'B13');
      });

      it('what 7 KiB cannot hold fails, and the old session stays; one character less passes', async () => {
        const client = app.client();
        await client.get('/put/cart/cake');
        const before = new Map(client.jar);
        let [fits, fails] = [4000, 8000];
        while (fails - fits > 1) {
          const size = (fits + fails) >> 1;
          const probe = client.tab();
          const answer = await probe.get(`/fill/${size}`);
          if (answer.status === 200) fits = size;
          else {
            fails = size;
            assert.equal(answer.status, 500);
            assert.equal(answer.json()['code'], 'ERR_DATA_TOO_LARGE');
            assert.deepEqual(answer.setCookies, []);
            assert.deepEqual(probe.jar, before);
          }
        }
        // A record's version is a random number, of one digit more or less each time.
        while ((await client.get(`/fill/${fits}`)).status !== 200) fits--;
        assert.ok(fails - fits <= 4, `${fits} of ${fails}`);
        client.jar.delete('other');
        const total = bytesOf(client.jar).reduce((sum, bytes) => sum + bytes, 0);
        // The names over https are longer by "__Host-", twice; base64 counts by threes and fours.
        assert.ok(total <= 7168 - 14 && total > 7168 - 14 - 8, String(total));
        assert.ok(fits > 4900, `about 5 KB of data, ${fits}`);
        assert.equal((await client.tab().get('/put/more/x')).json()['code'], 'ERR_DATA_TOO_LARGE');
        assert.equal(String((await data(client))['filling']).length, fits);
      });
    });
  });
}

describe('sealed cookie and time', () => {
  let app: SealedApp;
  before(async () => {
    app = await openSealed({}, { idle: '30m', absolute: '7d', remember: '30d' });
  });
  after(() => app.close());

  it('E5 idle: a request puts it off, by a cookie set anew at most every 90 s; C8 a kept cookie is refused in its own time', async () => {
    const client = app.client();
    await client.get('/login/ada');
    const kept = client.tab();
    app.clock.advance(89_000);
    assert.deepEqual((await client.get('/look')).setCookies, []);
    for (let i = 0; i < 3; i++) {
      app.clock.advance(28 * MINUTE);
      assert.equal((await client.get('/look')).setCookies.length, 1);
    }
    assert.equal((await data(client))['userId'], 'ada');
    assert.deepEqual(await data(kept), { userId: null });
    assert.equal(app.events.at(-1), 'expired');
    app.clock.advance(30 * MINUTE - 1);
    assert.equal((await data(client.tab()))['userId'], 'ada');
    app.clock.advance(1);
    assert.equal((await data(client.tab()))['userId'], null);
  });

  it('E6 absolute: however active, over after 7 days from the login; rotation does not move it', async () => {
    const client = app.client();
    await client.get('/login/ada');
    const ends = app.clock() + 7 * 24 * 60 * MINUTE;
    while (app.clock() + 20 * MINUTE < ends) {
      app.clock.advance(20 * MINUTE);
      await client.get('/look');
    }
    await client.get('/rotate');
    app.clock.set(ends - 1);
    assert.equal((await data(client.tab()))['userId'], 'ada');
    app.clock.set(ends);
    assert.equal((await data(client))['userId'], null);
  });

  it('remember: a persistent cookie for 30 days, used or not; E9 kept longer it is refused', async () => {
    const client = app.client();
    const answer = await client.get('/login/ada?remember=yes');
    assert.match(answer.setCookies.join(), /; Max-Age=2592000;/);
    app.clock.advance('29d');
    assert.equal((await data(client.tab()))['userId'], 'ada');
    app.clock.advance('1d');
    assert.equal((await data(client))['userId'], null);
  });

  it('cookie.persistent: kept for as long as the session lives, and put off with it', async () => {
    const persistent = await openSealed({}, { idle: '30m', cookie: { persistent: true } }, undefined, app.clock);
    const client = persistent.client();
    assert.match((await client.get('/put/theme/dark')).setCookies.join(), /; Max-Age=1800;/);
    app.clock.advance('20m');
    assert.match((await client.get('/look')).setCookies.join(), /; Max-Age=1800;/);
    await persistent.close();
  });

  it('E15 a clock set back lengthens nothing', async () => {
    const client = app.client();
    await client.get('/login/ada');
    app.clock.set(app.clock() - 6 * MINUTE);
    assert.equal((await data(client))['userId'], null);
  });
});

it('C4 C5 keys: the first seals, all open, an older one is replaced, a removed one opens nothing', async () => {
  const [old, young] = [SECRET, 'another secret of more than thirty-two bytes'];
  const apps = await Promise.all([old, [young, old], young].map(secret => openSealed({}, { secret })));
  const [before, during, afterwards] = apps as [SealedApp, SealedApp, SealedApp];
  const move = async (client: Client, to: SealedApp) => {
    const moved = client.tab(to.url);
    const answer = await moved.get('/data');
    return { moved, theme: answer.json()['theme'], cookies: answer.setCookies.length };
  };
  const client = before.client();
  await client.get('/put/theme/dark');
  assert.equal((await move(client, afterwards)).theme, undefined);
  const { moved, theme, cookies } = await move(client, during);
  assert.deepEqual([theme, cookies], ['dark', 1]);
  assert.equal((await move(moved, during)).cookies, 0, 'once');
  assert.equal((await move(moved, afterwards)).theme, 'dark');
  assert.equal((await move(moved, before)).theme, undefined);
  for (const app of apps) await app.close();
});

it('cookie.secure: true over plain http sets no cookie and reads none', async () => {
  const app = await openSealed({}, { cookie: { secure: true } });
  const client = app.client();
  assert.deepEqual((await client.get('/put/theme/dark')).setCookies, []);
  await client.get('/put/theme/dark', HTTPS);
  assert.equal((await client.get('/data', HTTPS)).json()['theme'], 'dark');
  const answer = await client.get('/data');
  assert.deepEqual([answer.status, answer.json()['theme'], answer.setCookies], [200, undefined, []]);
  await app.close();
});

it('a cookie of an older key is not made anew for an id that was given up meanwhile', async () => {
  const clock = createTestClock();
  const denylist = memoryStore({ clock });
  const young = 'another secret of more than thirty-two bytes';
  const before = await openSealed({ denylist }, {}, undefined, clock);
  const during = await openSealed({ denylist }, { secret: [young, SECRET] }, undefined, clock);
  for (const meanwhile of ['/rotate', '/logout']) {
    const client = before.client();
    await client.get('/login/ada');
    const finish = await during.hold(client.tab(during.url), '/held/look');
    await client.get(meanwhile);
    const late = await finish();
    assert.deepEqual([late.status, late.setCookies], [200, []], meanwhile);
  }
  await before.close();
  await during.close();
});

for (const kept of [false, true]) {
  it(`an id rotated under an update of the same request: nothing is lost, and the browser gets it (${kept ? 'memory' : 'sealed cookie'})`, async () => {
    const clock = createTestClock();
    const app = await openSealed({}, kept ? { store: memoryStore({ clock }) } : {}, undefined, clock);
    const client = app.client();
    await client.get('/put/cart/cake');
    const { handle } = (await client.get('/about')).json();
    assert.equal((await client.get('/rotate-meanwhile')).setCookies.length, 1);
    clock.advance('1m');
    assert.deepEqual(await data(client), { cart: 'cake', visits: 1, userId: null });
    assert.notEqual((await client.get('/about')).json()['handle'], handle);
    await app.close();
  });
}

describe('sealed cookie, after the head has left', () => {
  let app: SealedApp;
  let client: Client;
  before(async () => {
    const clock = createTestClock();
    app = await openSealed({ denylist: memoryStore({ clock }) }, {}, undefined, clock);
    client = app.client();
    await client.get('/put/cart/cake');
  });
  after(() => app.close());

  it('a change while streaming is no success: the connection is cut and an event tells why', async () => {
    await assert.rejects(client.get('/stream'));
    assert.equal(app.failures.at(-1)?.code, 'ERR_HEADERS_SENT');
  });

  it('a change after the end is told by an event', async () => {
    const before = app.failures.length;
    assert.equal((await client.get('/after')).body, 'done');
    await until(() => app.failures.length > before);
    assert.equal(app.failures.at(-1)?.code, 'ERR_HEADERS_SENT');
    assert.deepEqual(await data(client), { cart: 'cake', userId: null });
  });

  it('save() rejects; a logout still counts where there is a denylist, and only there', async () => {
    assert.equal((await client.get('/late/save')).body, 'firstERR_HEADERS_SENT');
    assert.equal((await client.get('/late/logout')).body, 'firstdone');
    assert.equal((await client.get('/data')).json()['cart'], undefined);
    const without = await openSealed();
    const other = without.client();
    await other.get('/put/cart/cake');
    assert.equal((await other.get('/late/logout')).body, 'firstERR_HEADERS_SENT');
    await without.close();
  });
});

describe('sealed cookie, wrong options', () => {
  const make = (store: unknown, options: Partial<ExpressSessionOptions> = {}) =>
    session({ secret: SECRET, store: sealedCookieStore(store as SealedCookieOptions), ...options });
  const wrong: Array<[code: string, run: () => unknown]> = [
    ['ERR_OPTION_UNKNOWN', () => make({ denyList: memoryStore() })],
    ['ERR_OPTION_UNKNOWN', () => make({ secret: SECRET })],
    ['ERR_OPTION_INVALID', () => make(null)],
    ['ERR_OPTION_INVALID', () => make({ epoch: 0 })],
    ['ERR_STORE_INVALID', () => make({ denylist: sealedCookieStore() })],
    ['ERR_STORE_INVALID', () => session({ secret: SECRET, store: sealedCookieStore as never })],
    ['ERR_SECRET_MISSING', () => make({}, { secret: '' })],
    ['ERR_OPTION_CONFLICT', () => make({}, { concurrency: 'serialize' })],
    ['ERR_OPTION_CONFLICT', () => make({}, { cookie: { sameSite: 'none' } })],
    ['ERR_COOKIE_PREFIX', () => make({}, { name: '__Host-session' })],
    ['ERR_COOKIE_NAME', () => make({}, { name: 'a b' })],
  ];
  for (const [code, run] of wrong) it(`${code}: ${run}`, () => assert.throws(run, { code }));
});
