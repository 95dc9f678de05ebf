// Login, logout, new ids and time, through real HTTP; the clock is moved by the test.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import express from 'express';
import { createSessions, type LoginOptions, type OpenSession } from 'madeleine';
import { type SessionMiddleware, session } from 'madeleine/express';
import { memoryStore } from 'madeleine/memory';
import { createTestClock, type FaultStore, faultStore } from 'madeleine/testing';
import { Client } from '../support/client.ts';
import { type Served, serve } from '../support/serve.ts';
import { warningsIn } from '../support/warnings.ts';

const secret = 'a secret of more than thirty-two bytes';
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let served: Served;
let store: FaultStore;
let remember: SessionMiddleware;
const clock = createTestClock();

before(async () => {
  store = faultStore(memoryStore({ clock }));
  remember = session({ secret, store, clock, idle: '30m', absolute: '7d', remember: '30d', grace: '10s' });
  const app = express();
  app.use(remember);
  app.get('/put/:key/:value', (req, res) => {
    req.session[req.params['key'] as string] = req.params['value'];
    res.end();
  });
  app.get('/flash', (req, res) => {
    req.flash('count', 5 as never);
    req.flash('count', { field: 'name' } as never);
    res.json(req.flash());
  });
  app.get('/data', (req, res) => void res.json(req.session));
  app.get('/about', (req, res) => void res.json(req.session.about));
  app.get('/look', (_req, res) => void res.end());
  app.get('/login/:user', async (req, res) => {
    const keep = req.query['keep'] as string | undefined;
    await req.session.login(req.params['user'] as string, {
      remember: req.query['remember'] === 'yes',
      ...(keep === undefined ? {} : { keep: keep.split(',') }),
    });
    res.json(req.session);
  });
  app.get('/again/:user', async (req, res) => {
    await req.session.login(req.params['user'] as string);
    res.end();
  });
  app.get('/logout', async (req, res) => {
    await req.session.logout();
    res.json(req.session);
  });
  app.get('/logout-with-flash', async (req, res) => {
    await req.session.logout();
    req.flash('info', 'bye');
    res.end();
  });
  app.get('/destroy', (req, res, next) => {
    req.session.destroy(error => (error ? next(error) : res.send('destroyed')));
  });
  app.get('/regenerate', (req, res, next) => {
    const previous = req.session;
    req.session.regenerate(error => {
      if (error) return next(error);
      assert.notEqual(req.session, previous);
      req.session.username = previous.username ?? 'nobody';
      req.session.save(failure => (failure ? next(failure) : res.json(req.session)));
    });
  });
  app.get('/regenerate-keeping/:keys', async (req, res) => {
    req.session.visits = 7;
    await req.session.regenerate((req.params['keys'] as string).split(','));
    res.json(req.session);
  });
  app.get('/regenerate-by-old-reference', async (req, res) => {
    const { session: old } = req;
    await old.regenerate();
    old.username = 'lost';
    res.json(req.session);
  });
  app.get('/get/:key', (req, res) => {
    const { key } = req.params;
    const before = req.session.get(key) ?? null;
    req.session.set(key, 'set');
    res.json([before, req.session[key] ?? null]);
  });
  app.get('/rotate', async (req, res) => {
    await req.session.rotate();
    res.json(req.session);
  });
  app.get('/rotate-and-save', async (req, res) => {
    const replaced = () => store.calls.filter(call => call.operation === 'replace').length;
    const before = replaced();
    const rotating = req.session.rotate();
    while (replaced() === before) await new Promise(resolve => setImmediate(resolve));
    req.session.username = 'saved meanwhile';
    await Promise.all([rotating, req.session.save()]);
    res.json(req.session);
  });
  app.get('/reload', async (req, res) => {
    req.session.username = 'not saved';
    await req.session.reload();
    res.json(req.session);
  });
  app.get('/update/callback', (req, res, next) => {
    const count = (data: { visits?: number }) => {
      if ('fail' in req.query) throw new Error('no more visits');
      data.visits = (data.visits ?? 0) + 1;
      return data.visits;
    };
    req.session.update(count, (error, returned) =>
      error ? next(error) : res.json({ returned, seen: req.session.visits }),
    );
  });
  app.get('/update', async (req, res) => {
    const visits = await req.session.update(data => {
      data.visits = (data.visits ?? 0) + 1;
      return data.visits;
    });
    res.json({ returned: visits, seen: req.session.visits });
  });
  app.get('/touch', (req, res) => {
    req.session.touch();
    res.end();
  });
  served = await serve(app);
});
after(async () => {
  await served.close();
  await remember.sessions.close();
});

let client: Client;
beforeEach(() => {
  client = new Client(served.url);
});
const writes = () => store.calls.filter(call => call.operation !== 'read').length;

describe('login', () => {
  it('gives a fresh id, keeps what the visitor gathered, and the old id is dead', async () => {
    await client.get('/put/cart/cake');
    const old = client.jar.get('session') as string;
    assert.deepEqual((await client.get('/login/ada')).json(), { cart: 'cake' });
    assert.notEqual(client.jar.get('session'), old);
    assert.equal((await client.get('/about')).json()['userId'], 'ada');

    const thief = new Client(served.url);
    thief.jar.set('session', old);
    assert.deepEqual((await thief.get('/data')).json(), {});
    const stored = await thief.get('/put/cart/poison');
    assert.deepEqual(stored.setCookies, [], 'and cannot disturb the newer cookie');
    clock.advance('11s');
    assert.deepEqual((await thief.get('/data')).json(), {});
    assert.deepEqual((await client.get('/data')).json(), { cart: 'cake' });
  });

  it('keep narrows what goes along', async () => {
    await client.get('/put/cart/cake');
    await client.get('/put/theme/dark');
    assert.deepEqual((await client.get('/login/ada?keep=theme')).json(), { theme: 'dark' });
    assert.deepEqual((await client.get('/data')).json(), { theme: 'dark' });
  });

  it('options that it cannot have are refused, and nobody is logged in', async () => {
    const sessions = createSessions({ secret: 'a secret of more than thirty-two bytes', store: memoryStore() });
    const { session } = sessions.open(undefined, { secure: false, device: () => null }) as OpenSession;
    const wrong: Array<[options: unknown, code: string, says: RegExp]> = [
      [{ remeber: true }, 'ERR_OPTION_UNKNOWN', /Did you mean "remember"\?/],
      [{ remember: 'off' }, 'ERR_OPTION_INVALID', /req\.body\.remember === 'on'/],
      [{ keep: 'cart' }, 'ERR_OPTION_INVALID', /\['cart'\]/],
    ];
    for (const [options, code, message] of wrong)
      await assert.rejects(session.login('ada', options as LoginOptions), { code, message });
    await assert.rejects(session.update({ cart: [] } as never), {
      code: 'ERR_OPTION_INVALID',
      message: /update\(data =>/,
    });
    assert.equal(session.about.userId, null);
    await sessions.close();
  });

  it('a flash message may be any value, as with connect-flash', async () => {
    const client = new Client(served.url);
    assert.deepEqual((await client.get('/flash')).json(), { count: [5, { field: 'name' }] });
  });

  it('as another user leaves the data of the first behind; again as the same user keeps it', async () => {
    await client.get('/login/ada');
    await client.get('/put/secret/diary');
    assert.deepEqual((await client.get('/login/ada')).json(), { secret: 'diary' });
    assert.deepEqual((await client.get('/login/bob')).json(), {});
    assert.deepEqual((await client.get('/data')).json(), {});
  });

  it('remember makes the cookie persistent', async () => {
    assert.doesNotMatch((await client.get('/login/ada')).setCookies.join(), /Max-Age/);
    assert.match((await client.get('/login/ada?remember=yes')).setCookies.join(), /Max-Age=2592000;/);
  });

  it('again without remember, a remembered user stays so, and another is not', async () => {
    await client.get('/login/ada?remember=yes');
    assert.match((await client.get('/again/ada')).setCookies.join(), /Max-Age=2592000;/);
    assert.doesNotMatch((await client.get('/again/bob')).setCookies.join(), /Max-Age/);
    await client.get('/login/bob?remember=yes');
    assert.doesNotMatch((await client.get('/login/bob')).setCookies.join(), /Max-Age/);
  });

  it('refuses what is no user id', async () => {
    assert.equal((await client.get('/login/%20')).status, 200);
    assert.equal((await client.get(`/login/${'x'.repeat(600)}`)).status, 500);
  });
});

describe('logout', () => {
  it('ends the session on the server, clears the cookie, and a captured cookie opens nothing', async () => {
    await client.get('/login/ada');
    const captured = client.jar.get('session') as string;
    const answer = await client.get('/logout');
    assert.match(answer.setCookies.join(), /^session=; .*Max-Age=0/);
    assert.equal(client.jar.size, 0);
    client.jar.set('session', captured);
    assert.deepEqual((await client.get('/about')).json()['userId'], null);
  });

  it('leaves an empty session that a message can be put into', async () => {
    await client.get('/login/ada');
    const answer = await client.get('/logout-with-flash');
    assert.equal(answer.setCookies.length, 1);
    assert.deepEqual((await client.get('/data')).json(), { flash: { info: ['bye'] } });
    assert.equal((await client.get('/about')).json()['userId'], null);
  });

  it('C11 by a forged cookie ends nothing and clears nothing', async () => {
    await client.get('/login/ada');
    const real = client.jar.get('session') as string;
    const thief = new Client(served.url);
    thief.jar.set('session', real.slice(0, -1) + (real.endsWith('A') ? 'E' : 'A'));
    assert.deepEqual((await thief.get('/logout')).setCookies, []);
    assert.equal((await client.get('/about')).json()['userId'], 'ada');
  });

  it('without a session stores nothing and sets nothing', async () => {
    const before = writes();
    assert.deepEqual((await client.get('/logout')).setCookies, []);
    assert.equal(writes(), before);
  });

  it('by destroy(callback), as with express-session', async () => {
    await client.get('/put/cart/cake');
    assert.equal((await client.get('/destroy')).body, 'destroyed');
    assert.equal(client.jar.size, 0);
  });

  it('fails visibly when the store does', async () => {
    await client.get('/login/ada');
    store.plan(({ operation }) => (operation === 'delete' ? { kind: 'fail' } : null));
    assert.equal((await client.get('/logout')).status, 503);
    store.plan(() => null);
  });
});

it('get(key) and set(key, value) reach data alone', async () => {
  await client.get('/put/theme/dark');
  assert.deepEqual((await client.get('/get/theme')).json(), ['dark', 'set']);
  assert.deepEqual((await client.get('/get/save')).json(), [null, 'set']);
  assert.deepEqual((await client.get('/data')).json(), { theme: 'set', save: 'set' });
  assert.equal((await client.get('/get/__proto__')).status, 500);
});

describe('a new id', () => {
  it('D1 is 256 random bits that nobody had before; without a source of randomness there is none', context => {
    const sessions = createSessions({ secret, store: memoryStore() });
    const newId = () => (sessions.open(undefined, { secure: false, device: () => null }) as OpenSession).session.id;
    const ids = new Set(Array.from({ length: 1000 }, newId));
    const source = context.mock.method(crypto, 'randomFillSync', () => {
      throw new Error('no entropy');
    });
    for (let refused = 0; refused < 3; ) {
      assert.ok(ids.size < 2000, 'no random bytes were asked for');
      const before = ids.size;
      try {
        ids.add(newId());
        assert.equal(ids.size, before + 1);
      } catch (error) {
        assert.equal((error as Error).message, 'no entropy');
        refused++;
      }
    }
    source.mock.restore();
    for (let i = ids.size; i < 3000; i++) ids.add(newId());
    assert.equal(ids.size, 3000);
    const bytes = [...ids].map(id => Buffer.from(id, 'base64url'));
    assert.ok(bytes.every(({ length }) => length === 32));
    // Of each bit about half are set: of 3,000 fair coins 1,250 or less are heads once in 10^19 trials.
    for (let bit = 0; bit < 256; bit++) {
      const set = bytes.filter(id => ((id[bit >> 3] as number) >> (bit & 7)) & 1).length;
      assert.ok(set > 1250 && set < 1750, `bit ${bit}: ${set} of 3000`);
    }
    void sessions.close();
  });

  it('given by a request that saves at the same moment reaches the browser, and the save is not lost', async () => {
    await client.get('/put/cart/cake');
    store.plan(() => ({ kind: 'late', time: 20 }));
    const answer = await client.get('/rotate-and-save').finally(() => store.plan(() => null));
    assert.equal(answer.setCookies.length, 1);
    clock.advance('11s');
    assert.deepEqual((await client.get('/data')).json(), { cart: 'cake', username: 'saved meanwhile' });
  });

  it('regenerate(callback) empties the session; the old object keeps what it had (passport relies on it)', async () => {
    await client.get('/put/username/shree');
    await client.get('/put/cart/cake');
    const old = client.jar.get('session');
    assert.deepEqual((await client.get('/regenerate')).json(), { username: 'shree' });
    assert.notEqual(client.jar.get('session'), old);
    assert.deepEqual((await client.get('/data')).json(), { username: 'shree' });
  });

  it('regenerate(keys) keeps these keys, as the request has them, and nothing else', async () => {
    await client.get('/login/ada');
    await client.get('/put/username/shree');
    await client.get('/put/theme/dark');
    const old = client.jar.get('session');
    const kept = { visits: 7, theme: 'dark' };
    assert.deepEqual((await client.get('/regenerate-keeping/visits,theme,absent,save,__proto__')).json(), kept);
    assert.notEqual(client.jar.get('session'), old);
    assert.deepEqual((await client.get('/data')).json(), kept);
    assert.equal((await client.get('/about')).json().userId, null);
  });

  it('what is put in by a reference from before regenerate() is not kept, and a warning says so', async context => {
    const warnings = warningsIn(context);
    assert.deepEqual((await client.get('/regenerate-by-old-reference')).json(), {});
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['MADELEINE_OLD_SESSION'],
    );
    assert.match(String(warnings[0]), /Ask for it again/);
  });

  it('rotate() keeps everything; the old id works for the grace, and its use after that ends the family', async () => {
    await client.get('/login/ada');
    await client.get('/put/cart/cake');
    const old = client.jar.get('session') as string;
    await client.get('/rotate');
    const late = new Client(served.url);
    late.jar.set('session', old);
    clock.advance('9s');
    assert.deepEqual((await late.get('/data')).json(), { cart: 'cake' });
    assert.deepEqual((await late.get('/put/theme/dark')).setCookies, []);
    assert.deepEqual((await client.get('/data')).json(), { cart: 'cake', theme: 'dark' });

    const events: string[] = [];
    const off = remember.sessions.on('reused', ({ tag }) => events.push(tag));
    clock.advance('2s');
    assert.deepEqual((await late.get('/data')).json(), {});
    off();
    assert.equal(events.length, 1);
    assert.deepEqual((await client.get('/data')).json(), {}, 'the whole family is ended');
  });
});

describe('data', () => {
  it('reload() drops what was not saved', async () => {
    await client.get('/put/username/shree');
    assert.deepEqual((await client.get('/reload')).json(), { username: 'shree' });
  });

  it('update(change, callback) calls back with what change returned, or with the error', async () => {
    assert.deepEqual((await client.get('/update/callback')).json(), { returned: 1, seen: 1 });
    assert.deepEqual((await client.get('/update/callback')).json(), { returned: 2, seen: 2 });
    assert.equal((await client.get('/update/callback?fail')).status, 500);
    assert.deepEqual((await client.get('/data')).json(), { visits: 2 });
  });

  it('update() works on fresh data and shows its result in the bag', async () => {
    assert.deepEqual((await client.get('/update')).json(), { returned: 1, seen: 1 });
    assert.deepEqual((await client.get('/update')).json(), { returned: 2, seen: 2 });
  });

  it('a name of ours can be shadowed by data without harm', async () => {
    for (const key of ['id', 'cookie', 'about', 'save', 'login', 'constructor', 'toString', 'toJSON2']) {
      await client.get(`/put/${key}/mine`);
    }
    const data = (await client.get('/data')).json();
    assert.deepEqual(Object.keys(data).length, 8);
    assert.equal((await client.get('/put/more/1')).status, 200);
  });

  it('a client-made key __proto__ is refused and changes nothing', async () => {
    assert.equal((await client.get('/put/__proto__/x')).status, 500);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
});

describe('what is written', () => {
  it('nothing, when nothing changed', async () => {
    await client.get('/put/cart/cake');
    const before = writes();
    for (const path of ['/data', '/look', '/about', '/put/cart/cake']) await client.get(path);
    assert.equal(writes(), before);
  });

  it('one touch when the last one is old enough, at once when asked for', async () => {
    await client.get('/put/cart/cake');
    const before = writes();
    clock.advance('1m');
    await client.get('/data');
    assert.equal(writes(), before, 'throttled');
    await client.get('/touch');
    assert.equal(writes(), before + 1);
    clock.advance('2m');
    await client.get('/look');
    assert.equal(writes(), before + 2);
  });

  it('nothing at all for visitors with unknown ids, and no store call for malformed ones', async () => {
    const before = writes();
    const reads = store.calls.length;
    for (const value of ['x', `1.${'a'.repeat(43)}.${'b'.repeat(43)}`, 'x'.repeat(10_000), '%00', '../../x', '"']) {
      client.jar.set('session', value);
      assert.deepEqual((await client.get('/data')).json(), {});
    }
    assert.equal(writes(), before);
    assert.equal(store.calls.length, reads);
  });
});

describe('time', () => {
  it('idle: the limit less a second passes, the limit does not', async () => {
    await client.get('/put/cart/cake');
    clock.advance(30 * MINUTE - 1000);
    assert.deepEqual((await client.get('/data')).json(), { cart: 'cake' });
    clock.advance(30 * MINUTE);
    assert.deepEqual((await client.get('/data')).json(), {});
  });

  it('absolute: constant activity still ends, counted from the login', async () => {
    await client.get('/put/cart/cake');
    clock.advance('20m');
    await client.get('/login/ada');
    for (let passed = 0; passed < 7 * DAY - 20 * MINUTE; passed += 20 * MINUTE) {
      clock.advance('20m');
      await client.get('/look');
    }
    assert.equal((await client.get('/about')).json()['userId'], 'ada');
    clock.advance('20m');
    assert.equal((await client.get('/about')).json()['userId'], null);
  });

  it('remember: lives for its whole time, used or not', async () => {
    await client.get('/login/ada?remember=yes');
    clock.advance(30 * DAY - 1000);
    assert.equal((await client.get('/about')).json()['userId'], 'ada');
    clock.advance(1000);
    assert.equal((await client.get('/about')).json()['userId'], null);
  });

  it('a clock set back lengthens nothing: a record from the future is refused', async () => {
    await client.get('/put/cart/cake');
    clock.set(clock() - DAY);
    assert.deepEqual((await client.get('/data')).json(), {});
    clock.set(clock() + DAY);
    assert.deepEqual((await client.get('/data')).json(), { cart: 'cake' }); // and not deleted by the server that was wrong
  });
});

describe('a user and their sessions', () => {
  it('list shows devices and no usable id; revoke ends one, revokeAll the others', async () => {
    const phone = new Client(served.url);
    const tablet = new Client(served.url);
    const user = `user-${clock()}`;
    await client.get(`/login/${user}`, { headers: { 'user-agent': 'Desk' } });
    await phone.get(`/login/${user}`, { headers: { 'user-agent': 'Phone' } });
    await tablet.get(`/login/${user}`, { headers: { 'user-agent': 'Tablet' } });
    const list = await remember.sessions.list(user);
    assert.deepEqual(list.map(one => one.device?.userAgent).sort(), ['Desk', 'Phone', 'Tablet']);
    assert.ok(list.every(one => ![...client.jar.values()].join().includes(one.handle)));

    const handleOf = (name: string) => list.find(one => one.device?.userAgent === name)?.handle as string;
    assert.equal(await remember.sessions.revoke(handleOf('Phone')), true);
    assert.equal(await remember.sessions.revoke(handleOf('Phone')), false);
    assert.equal((await phone.get('/about')).json()['userId'], null);
    assert.equal((await client.get('/about')).json()['handle'], handleOf('Desk'));
    assert.equal(await remember.sessions.revokeAll(user, { except: handleOf('Desk') }), 1);
    assert.equal((await tablet.get('/about')).json()['userId'], null);
    assert.equal((await client.get('/about')).json()['userId'], user);

    const handle = handleOf('Desk');
    client.jar.set('session', `1.${handle}.${handle}`);
    assert.equal((await client.get('/about')).json()['userId'], null, 'a handle is no cookie');
  });
});
