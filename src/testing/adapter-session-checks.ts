/** What must be true of a session, whichever adapter it came through: log in, log out, race, pass a guard. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { memoryStore } from '../stores/memory.ts';
import type { AdapterBench, AdapterCheck } from './adapter-bench.ts';
import { namedChecks, SPEEDS, slowStore } from './adapter-bench.ts';
import { GUARDED_PATHS } from './adapter-harness.ts';
import { createTestClock } from './clock.ts';

const PAGE = { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } };
const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => `item-${i}`);

const checks: Record<string, (bench: AdapterBench) => Promise<void>> = {
  async 'a visitor who stores nothing gets no session and no cookie'(bench) {
    const client = await bench.serve();
    for (const path of ['/look', '/peek', '/data', '/logout']) {
      assert.deepEqual((await client.get(path)).setCookies, [], path);
    }
  },

  async 'login gives a fresh id and keeps the cart; the old id is dead and disturbs nothing'(bench) {
    const client = await bench.serve();
    await client.get('/add/tea');
    const old = client.tab();
    assert.deepEqual((await client.get('/login/ada')).json()['cart'], ['tea']);
    assert.notEqual(client.cookieHeader(), old.cookieHeader());
    assert.deepEqual((await client.get('/data')).json(), { cart: ['tea'], userId: 'ada' });
    assert.deepEqual((await old.get('/add/poison')).setCookies, []);
    assert.equal((await old.get('/data')).json()['userId'], null);
  },

  async 'remember makes the cookie persistent'(bench) {
    const client = await bench.serve({ clock: createTestClock() });
    assert.doesNotMatch((await client.get('/login/ada')).setCookies.join(), /Max-Age/);
    assert.match((await client.get('/login/ada?remember')).setCookies.join(), /Max-Age=2592000;/);
  },

  async 'logout ends the session on the server and clears the cookie'(bench) {
    const client = await bench.serve();
    await client.get('/login/ada');
    const captured = client.tab();
    assert.match((await client.get('/logout')).setCookies.join(), /^session=; .*Max-Age=0/);
    assert.equal(client.jar.size, 0);
    assert.equal((await captured.get('/data')).json()['userId'], null);
  },

  async 'rotate keeps everything under a fresh id, regenerate nothing'(bench) {
    const client = await bench.serve();
    await client.get('/add/tea');
    const before = client.cookieHeader();
    await client.get('/rotate');
    assert.notEqual(client.cookieHeader(), before);
    assert.deepEqual((await client.get('/data')).json()['cart'], ['tea']);
    await client.get('/regenerate');
    assert.deepEqual((await client.get('/data')).json(), { fresh: true, userId: null });
  },

  async 'a session ends by the clock that was given'(bench) {
    const clock = createTestClock();
    const client = await bench.serve({ clock, store: memoryStore({ clock }), idle: '30m' });
    await client.get('/add/tea');
    clock.advance('29m');
    assert.deepEqual((await client.get('/data')).json()['cart'], ['tea']);
    clock.advance('31m');
    assert.equal((await client.get('/data')).json()['cart'], undefined);
  },

  async 'sessions lists what a user has, with the device, and revokes it'(bench) {
    const client = await bench.serve();
    await client.get('/login/ada', { headers: { 'user-agent': 'Desk' } });
    const [listed] = await bench.sessions.list('ada');
    assert.equal(listed?.device?.userAgent, 'Desk');
    assert.match(listed?.device?.address ?? '', /127\.0\.0\.1/);
    assert.equal(await bench.sessions.revoke(listed?.handle ?? ''), true);
    assert.equal((await client.get('/data')).json()['userId'], null);
  },

  async 'a write under way across a logout: the session stays dead, and no cookie undoes it'(bench) {
    const steps = new EventEmitter();
    const [underWay, loggedOut] = [once(steps, 'under way'), once(steps, 'logged out')];
    const client = await bench.serve(
      { store: slowStore() },
      {
        async write(session) {
          void session().about;
          steps.emit('under way');
          await loggedOut;
          session().cart = ['tea'];
          return { status: 200, headers: {}, body: 'written' };
        },
      },
    );
    await client.get('/login/ada');
    const slow = client.tab().get('/write');
    await underWay;
    const old = client.tab();
    await client.get('/logout');
    steps.emit('logged out');
    assert.deepEqual((await slow).setCookies, []);
    assert.deepEqual((await old.get('/data')).json(), { userId: null });
  },

  async 'requireLogin: a page is sent to log in and knows the way back, an API gets 401, a user passes'(bench) {
    const client = await bench.serve();
    const path = `${GUARDED_PATHS.requireLogin}/a?b=c`;
    const page = await client.get(path, PAGE);
    assert.deepEqual([page.status, page.headers.location], [303, `/login?returnTo=${encodeURIComponent(path)}`]);
    assert.match(String(page.headers.vary), /Cookie/);
    assert.match(String(page.headers.vary), /Accept/);
    const api = await client.get(path, { headers: { accept: '*/*' } });
    assert.deepEqual([api.status, api.json()], [401, { error: 'login-required' }]);
    assert.match(api.headers['content-type'] ?? '', /^application\/json/);
    assert.equal(
      (await client.send('POST', path, PAGE)).headers.location,
      '/login',
      'a form cannot be asked for again',
    );
    await client.get('/login/ada');
    assert.equal((await client.get(path, PAGE)).body, 'reached');
  },

  async 'requireUser: whom the predicate refuses gets 403'(bench) {
    const client = await bench.serve();
    assert.equal((await client.get(GUARDED_PATHS.requireUser)).status, 401);
    await client.get('/login/bob');
    const api = await client.get(GUARDED_PATHS.requireUser);
    assert.deepEqual([api.status, api.json()], [403, { error: 'forbidden' }]);
    assert.deepEqual([(await client.get(GUARDED_PATHS.requireUser, PAGE)).body], ['Forbidden\n']);
    await client.get('/login/ada');
    assert.equal((await client.get(GUARDED_PATHS.requireUser)).body, 'reached');
  },

  async 'requireRecentLogin: who logged in too long ago logs in again, by the clock that was given'(bench) {
    const clock = createTestClock();
    const client = await bench.serve({ clock, store: memoryStore({ clock }) });
    assert.equal((await client.get(GUARDED_PATHS.requireRecentLogin)).status, 401);
    await client.get('/login/ada');
    clock.advance('10m');
    assert.equal((await client.get(GUARDED_PATHS.requireRecentLogin)).body, 'reached');
    clock.advance('1s');
    const api = await client.get(GUARDED_PATHS.requireRecentLogin);
    assert.deepEqual([api.status, api.json()], [401, { error: 'recent-login-required' }]);
    assert.equal((await client.get(GUARDED_PATHS.requireRecentLogin, PAGE)).status, 303);
    await client.get('/login/ada');
    assert.equal((await client.get(GUARDED_PATHS.requireRecentLogin)).body, 'reached');
  },
};

/** With each kind of store. */
const raceChecks: Record<string, (client: Awaited<ReturnType<AdapterBench['serve']>>) => Promise<void>> = {
  async '50 requests at once that each add an item keep 50'(client) {
    await client.get('/visit');
    await Promise.all(numbers(50).map(item => client.tab().get(`/add/${item}`)));
    const { cart } = (await client.get('/data')).json<{ cart: string[] }>();
    assert.deepEqual([...cart].sort(), numbers(50).sort());
  },
  async '50 updates at once count to 50, and each is told another number'(client) {
    await client.get('/put/theme/dark');
    const told = await Promise.all(numbers(50).map(async () => (await client.tab().get('/count')).body));
    assert.equal(new Set(told).size, 50);
  },
  async 'a client that follows a redirect at once sees its own write'(client) {
    for (let round = 1; round <= 3; round++) {
      const { headers } = await client.get('/redirect/tea');
      const followed = await client.get(headers.location as string);
      assert.equal(followed.json<{ cart: string[] }>().cart.length, round);
    }
  },
};

export const sessionChecks: readonly AdapterCheck[] = [
  ...namedChecks(checks),
  ...Object.entries(raceChecks).flatMap(([name, run]) =>
    Object.entries(SPEEDS).map(([speed, open]) => ({
      name: `${name}, ${speed}`,
      node: false,
      run: async (bench: AdapterBench) => run(await bench.serve({ store: open() })),
    })),
  ),
];
