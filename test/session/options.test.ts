// Bad input shows at construction, with a code, what is wrong, and what to do.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createSessions, DEFAULT_LIFETIME, defineCookie, type ErrorCode, MadeleineError } from 'madeleine';
import { type ExpressSessionOptions, requireLogin, session } from 'madeleine/express';
import { memoryStore } from 'madeleine/memory';
import { movingStore } from 'madeleine/moving';
import { redisStore } from 'madeleine/redis';
import { upgrades } from 'madeleine/upgrade';
import { inProduction } from '../support/production.ts';

const secret = 'a secret of more than thirty-two bytes';

function refusal(options: unknown): MadeleineError {
  try {
    session(options as ExpressSessionOptions);
  } catch (error) {
    assert.ok(error instanceof MadeleineError, String(error));
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('session() refuses', () => {
  const cases: Array<[options: unknown, code: ErrorCode, says: RegExp]> = [
    [undefined, 'ERR_SECRET_MISSING', /randomBytes/],
    [{}, 'ERR_SECRET_MISSING', /randomBytes/],
    [{ secret: '' }, 'ERR_SECRET_MISSING', /empty/],
    [{ secret: [] }, 'ERR_SECRET_MISSING', /empty/],
    [{ secret: [secret, ''] }, 'ERR_SECRET_MISSING', /empty/],
    [{ secret: 42 }, 'ERR_SECRET_MISSING', /not text/],
    [{ secret: Buffer.from(secret) }, 'ERR_SECRET_MISSING', /not text\. Give one key as text/],
    ['secret', 'ERR_OPTION_INVALID', /not an object/],
    [{ method: 'GET', url: '/' }, 'ERR_OPTION_INVALID', /without being called.*session\({ … }\)/],
    [{ secrett: secret }, 'ERR_OPTION_UNKNOWN', /Did you mean "secret"\?/],
    [{ secret, idel: '30m' }, 'ERR_OPTION_UNKNOWN', /Did you mean "idle"\?/],
    [{ secret, idleTimeout: '30m' }, 'ERR_OPTION_UNKNOWN', /It is called "idle"\./],
    [{ secret, absoluteTimeout: '30d' }, 'ERR_OPTION_UNKNOWN', /It is called "absolute"\./],
    [{ secret, domain: 'example.com' }, 'ERR_OPTION_UNKNOWN', /\{ cookie: \{ domain: … \} \}/],
    [{ secret, resave: false }, 'ERR_OPTION_UNKNOWN', /Remove it/],
    [{ secret, saveUninitalized: true }, 'ERR_OPTION_UNKNOWN', /stored once something is put in it/],
    [
      { secret, resave: false, idel: '30m' },
      'ERR_OPTION_UNKNOWN',
      /no session options: "resave", "idel"\. "resave": Remove it.* "idel": Did you mean "idle"\? \(ERR_OPTION_UNKNOWN\)$/,
    ],
    [{ secret, url: 'redis://' }, 'ERR_OPTION_UNKNOWN', /\. Known options: secret, [^.]*\. \(ERR/],
    [
      Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`field ${at}`, at])),
      'ERR_OPTION_UNKNOWN',
      /"field 4" and 1995 more\. Known options: [^.]*\. \(ERR/,
    ],
    [{ secret, idle: null }, 'ERR_OPTION_INVALID', /"idle" is not a duration/],
    [{ secret, grace: null }, 'ERR_OPTION_INVALID', /"grace" is not a duration/],
    [{ secret, renew: true }, 'ERR_OPTION_UNKNOWN', /"idle" counts from the last request/],
    [{ secret, cookieName: 'sid' }, 'ERR_OPTION_UNKNOWN', /It is called "name"/],
    [{ secret, password: secret }, 'ERR_OPTION_UNKNOWN', /It is called "secret"/],
    [{ secret, secure: true }, 'ERR_OPTION_UNKNOWN', /It belongs into "cookie"/],
    [{ secret, saveUninitialized: true }, 'ERR_OPTION_UNKNOWN', /Remove it/],
    [{ secret, cookie: { maxAge: 60_000 } }, 'ERR_OPTION_UNKNOWN', /cookie\.persistent/],
    [{ secret, cookie: { sameSit: 'lax' } }, 'ERR_OPTION_UNKNOWN', /Did you mean "sameSite"\?/],
    [{ secret, cookie: { sameSite: 'none' } }, 'ERR_OPTION_CONFLICT', /secure to true/],
    [{ secret, cookie: { partitioned: true, secure: false } }, 'ERR_OPTION_CONFLICT', /secure to true/],
    [{ secret, cookie: { sameSite: 'Lax; Domain=evil' } }, 'ERR_COOKIE_ATTRIBUTE', /strict, lax, none/],
    [{ secret, cookie: { path: '/; Domain=evil' } }, 'ERR_COOKIE_ATTRIBUTE', /path/],
    [{ secret, cookie: () => ({ path: '/' }) }, 'ERR_OPTION_INVALID', /"cookie" is a function.*'auto'/],
    [{ secret, cookie: { secure: 'true' } }, 'ERR_OPTION_INVALID', /"cookie\.secure".*'auto'/],
    [{ secret, cookie: { persistent: 'yes' } }, 'ERR_OPTION_INVALID', /"cookie\.persistent"/],
    [{ secret, sameSite: 'lax' }, 'ERR_OPTION_UNKNOWN', /cookie: {/],
    [{ secret, trustProxy: 1 }, 'ERR_OPTION_UNKNOWN', /app\.set\('trust proxy', 1\)/],
    [{ keys: [secret] }, 'ERR_OPTION_UNKNOWN', /called "secret"/],
    [
      { secret, merge: { visits: 'add' } },
      'ERR_OPTION_INVALID',
      /"merge\.visits".*'sum', 'union', 'append' or a function/,
    ],
    [{ secret, merge: ['sum'] }, 'ERR_OPTION_INVALID', /merge options are not an object/],
    [{ secret, name: '__Host-sid' }, 'ERR_COOKIE_PREFIX', /bare name/],
    [{ secret, name: 'my session' }, 'ERR_COOKIE_NAME', /name/],
    [{ secret, name: 'n'.repeat(2000) }, 'ERR_COOKIE_NAME', /shorter/],
    [{ secret, idle: '30 minutes' }, 'ERR_OPTION_INVALID', /"idle".*'30m'/],
    [{ secret, idle: 0 }, 'ERR_OPTION_INVALID', /"idle"/],
    [{ secret, idle: 30 }, 'ERR_OPTION_INVALID', /"idle" is less than a second\. A number is milliseconds/],
    [{ secret, remember: 30 }, 'ERR_OPTION_INVALID', /"remember" is less than a second/],
    [{ secret, absolute: Number.NaN }, 'ERR_OPTION_INVALID', /"absolute"/],
    [{ secret, idle: '60d' }, 'ERR_OPTION_CONFLICT', /"absolute"/],
    [{ secret, maxDataSize: -1 }, 'ERR_OPTION_INVALID', /bytes/],
    [{ secret, clock: 'now' }, 'ERR_OPTION_INVALID', /"clock" is not a function/],
    [{ secret, onStoreError: 'ignore' }, 'ERR_OPTION_INVALID', /'fail' or 'anonymous'/],
    [{ secret, onReuse: 'ignore' }, 'ERR_OPTION_INVALID', /'end' or 'report'/],
    [{ secret, store: null }, 'ERR_STORE_INVALID', /sqliteStore/],
    [{ secret, store: {} }, 'ERR_STORE_INVALID', /lacks read, create, replace, touch, delete/],
    [{ secret, store: 'sessions.db' }, 'ERR_STORE_INVALID', /sqliteStore/],
    [
      { secret, store: Object.assign(Object.create(memoryStore()), { touch: undefined }) },
      'ERR_STORE_INVALID',
      /lacks touch\./,
    ],
    [{ secret, store: { get() {}, set() {}, destroy() {} } }, 'ERR_STORE_INVALID', /classicStore\(store\)/],
  ];
  for (const [options, code, says] of cases) {
    it(`${JSON.stringify(options) ?? 'undefined'}: ${code}`, () => {
      const error = refusal(options);
      assert.equal(error.code, code);
      assert.match(error.message, says);
      assert.ok(error.remedy.length > 10);
      assert.ok(!error.message.includes(secret));
    });
  }
});

describe('a short secret', () => {
  it('warns in development and throws in production', async () => {
    const warned = new Promise<Error & { code?: string }>(resolve => process.once('warning', resolve));
    session({ secret: 'short' });
    assert.equal((await warned).code, 'ERR_SECRET_SHORT');
    await inProduction(() => {
      for (const short of ['short', 's'.repeat(31)]) assert.equal(refusal({ secret: short }).code, 'ERR_SECRET_SHORT');
      assert.match(refusal({ secret: [secret, 'short'] }).message, /^Key 2 of option "secret"/);
      for (const enough of [secret, 's'.repeat(32)]) session({ secret: enough, store: memoryStore() });
    });
  });
});

describe('a secret that was put there to be replaced', () => {
  const placeholders = [
    'changemechangemechangemechangeme',
    'please change this secret before going live',
    'REPLACE_ME_WITH_A_LONG_RANDOM_STRING',
    'your-session-secret-of-at-least-32-characters',
    'keyboard cat keyboard cat keyboard cat',
  ];
  it('throws in production, however long it is', async () => {
    await inProduction(() => {
      for (const placeholder of placeholders) {
        const { code, message } = refusal({ secret: placeholder });
        assert.equal(code, 'ERR_SECRET_PLACEHOLDER', placeholder);
        assert.ok(!message.includes(placeholder));
      }
      assert.equal(refusal({ secret: [secret, placeholders[0]] }).message.indexOf('Key 2 of option "secret"'), 0);
    });
  });
  it('warns in development', async () => {
    const warned = new Promise<Error & { code?: string }>(resolve => process.once('warning', resolve));
    session({ secret: placeholders[0] as string });
    assert.equal((await warned).code, 'ERR_SECRET_PLACEHOLDER');
  });
  it('no random key is taken for one', async () => {
    await inProduction(() => {
      for (let i = 0; i < 300; i++) {
        for (const form of ['hex', 'base64', 'base64url'] as const)
          session({ secret: randomBytes(32).toString(form), store: memoryStore() });
      }
    });
  });
});

it('sessions that only this process knows are told of in production, unless they are meant', async context => {
  const warned = context.mock.method(process, 'emitWarning', () => {});
  const codes = () => warned.mock.calls.map(({ arguments: [, options] }) => (options as { code: string }).code);
  session({ secret });
  await inProduction(() => session({ secret, store: memoryStore() }));
  assert.deepEqual(codes(), []);
  await inProduction(() => session({ secret }));
  assert.deepEqual(codes(), ['MADELEINE_MEMORY']);
});

it('a clock that is none is refused by whatever takes one', () => {
  const clock = 'now' as never;
  const makers = [
    () => memoryStore({ clock }),
    () => redisStore('redis://localhost', { clock }),
    () => movingStore(memoryStore(), memoryStore(), { clock }),
    () => defineCookie('theme', { clock }),
  ];
  for (const make of makers) assert.throws(make, { code: 'ERR_OPTION_INVALID', message: /"clock" is not a function/ });
});

it('an event that there is none of, or a listener that is none, is refused', () => {
  const { sessions } = session({ secret });
  assert.throws(() => sessions.on('unavailble' as 'failed', () => {}), {
    code: 'ERR_OPTION_INVALID',
    message: /'unavailable'/,
  });
  assert.throws(() => sessions.on('failed', undefined as never), { code: 'ERR_OPTION_INVALID', message: /listener/ });
  const events = /^export interface SessionEvents \{$([\s\S]*?)^\}$/m.exec(
    readFileSync('src/session/events.ts', 'utf8'),
  )?.[1];
  const names = [...(events ?? '').matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name as 'failed');
  assert.ok(names.length > 9);
  for (const name of names) sessions.on(name, () => {})();
});

it('"for ever" is no length of time, in whatever form', () => {
  for (const idle of [1e15, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY, '9007199254740991ms', '104249991d']) {
    const { code, message } = refusal({ secret, idle, absolute: '90d' });
    assert.deepEqual([code, /"idle" is not a duration/.test(message)], ['ERR_OPTION_INVALID', true], String(idle));
  }
  session({ secret, idle: 999_999_999_999_999, absolute: 999_999_999_999_999 });
});

it('a short "absolute" alone makes "idle" as short', () => {
  session({ secret, absolute: '1h' });
});

it('options are read as own properties: a polluted or JSON-made prototype adds nothing', () => {
  const made = JSON.parse('{"__proto__":{"name":"evil"}}');
  assert.throws(() => session({ secret, ...made, ...{ ['__proto__']: 1 } } as never), { code: 'ERR_OPTION_UNKNOWN' });
  const inherited = Object.assign(Object.create({ store: 'evil' }), { secret });
  session(inherited);
});

it('so are the options of everything else, and those of a core without an adapter', () => {
  const inheriting = (options: object) => Object.create(options);
  memoryStore(inheriting({ maxSessions: -1 }));
  defineCookie('theme', inheriting({ purpose: 'none' }));
  upgrades(createSessions({ secret, store: memoryStore() }), inheriting({ trustProxy: -1 }));
  requireLogin(inheriting({ loginPage: '//evil.test' }));
  const stored = Object.assign(inheriting({ secret }), { store: memoryStore() });
  assert.throws(() => createSessions(stored), { code: 'ERR_SECRET_MISSING' });
});

it('the defaults in docs/sessions.md are the defaults', () => {
  const text = readFileSync('docs/sessions.md', 'utf8');
  for (const [name, value] of Object.entries(DEFAULT_LIFETIME)) {
    assert.ok(text.includes(`| \`${name}\` | \`${value}\` |`), name);
  }
});

it('revokeAll() takes nothing for options that is none: it would end the session that was to be spared', async () => {
  const { sessions } = session({ secret });
  const wrong = [{ exept: 'handle' }, 'handle', { except: 7 }] as unknown as Array<{ except: string }>;
  for (const options of wrong)
    await assert.rejects(sessions.revokeAll('ada', options), { code: /ERR_OPTION_(UNKNOWN|INVALID)/ });
  for (const except of [null, undefined]) assert.equal(await sessions.revokeAll('ada', { except }), 0);
});
