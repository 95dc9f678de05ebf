// Declared cookies: typed, signed, sealed, on every kind of request and response; checklist B14, B15 and C.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import type http from 'node:http';
import { describe, it } from 'node:test';
import { type CookieOptions, defineConsent, defineCookie } from 'madeleine';
import { session } from 'madeleine/express';
import { createTestClock } from 'madeleine/testing';
import { z } from 'zod';
import { request } from '../support/client.ts';
import { EXPRESSES } from '../support/expresses.ts';
import { serve } from '../support/serve.ts';
import { expectNoUnhandledRejections } from '../support/unhandled.ts';
import { warningsIn } from '../support/warnings.ts';

expectNoUnhandledRejections();

const secret = 'a secret of more than thirty-two bytes';
const other = 'another secret of more than thirty-two bytes';

/** What the browser would send back after this write. */
function sent(write: (headers: Headers) => void): string {
  const headers = new Headers();
  write(headers);
  return headers
    .getSetCookie()
    .map(line => line.split(';')[0])
    .join('; ');
}
const from = (cookie: string) => ({ headers: { cookie } });

const positive = {
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    validate: (value: unknown) =>
      typeof value === 'number' && value > 0 ? { value: value * 10 } : { issues: [{ message: 'not positive' }] },
    types: undefined as { input: number; output: number } | undefined,
  },
};

describe('types', () => {
  it('text, JSON, schema', () => {
    const text = defineCookie('text');
    const json = defineCookie('json', { type: 'json' });
    const schema = defineCookie('schema', { type: positive });
    for (const value of ['', 'plain', 'a b; c="d", é € 😀 %25', 'x=y']) {
      assert.equal(text.read(from(sent(headers => text.write(headers, value)))), value);
    }
    for (const value of [null, 0, [1, { a: 'ü' }], 'x', { __proto__: null }]) {
      assert.deepEqual(
        json.read(from(sent(headers => json.write(headers, value as never)))),
        JSON.parse(JSON.stringify(value)),
      );
    }
    assert.equal(schema.read(from(sent(headers => schema.write(headers, 4)))), 40);
    assert.throws(() => sent(headers => schema.write(headers, -4)), { code: 'ERR_COOKIE_VALUE' });
    assert.equal(schema.read(from('schema=-4')), undefined);
    assert.equal(schema.read(from('schema={')), undefined);
    assert.throws(() => sent(headers => text.write(headers, 4 as never)), { code: 'ERR_COOKIE_VALUE' });
    for (const cookie of [
      text,
      ...(['signed', 'sealed'] as const).map(kept => defineCookie('text', { protection: kept, secret })),
    ])
      for (const half of ['\ud800', 'a\udc00b'])
        assert.throws(() => sent(headers => cookie.write(headers, half)), /cookie "text".*half a surrogate pair/);
  });

  it('what would not be read back is not written, and the error names the cookie', () => {
    const json = defineCookie('cart', { type: 'json' });
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    for (const value of [
      new Date(0),
      { at: new Date(0) },
      { n: Number.NaN },
      [undefined],
      new Map(),
      1n,
      undefined,
      cyclic,
    ]) {
      assert.throws(
        () => json.write(new Headers(), value as never),
        (error: Error & { code?: string }) => error.code === 'ERR_COOKIE_VALUE' && /cookie "cart"/.test(error.message),
      );
    }
    assert.throws(() => json.write(new Headers(), { at: new Date(0) } as never), /value\.at: a Date/);
    json.write(new Headers(), { gone: undefined } as never);
    const dated = defineCookie('seen', { type: z.object({ at: z.date() }) });
    assert.throws(() => dated.write(new Headers(), { at: new Date(0) }), /cookie "seen".*expected date/);
    const coerced = defineCookie('seen', { type: z.object({ at: z.coerce.date() }) });
    const back = coerced.read(from(sent(headers => coerced.write(headers, { at: new Date(0) }))));
    assert.deepEqual(back, { at: new Date(0) });
    const big = defineCookie('big', { type: z.bigint() });
    assert.throws(() => big.write(new Headers(), 1n), { code: 'ERR_COOKIE_VALUE' });
  });

  it('a schema that throws when a value is written is told of by name, with what it threw as the cause', () => {
    for (const thrown of [new Error('its own'), undefined]) {
      const validate = () => {
        throw thrown;
      };
      const cookie = defineCookie('c', { type: { '~standard': { version: 1, vendor: 'test', validate } } });
      assert.throws(
        () => sent(headers => cookie.write(headers, 1)),
        (error: { code: string; cause: unknown; message: string }) => {
          assert.deepEqual([error.code, error.cause], ['ERR_COOKIE_VALUE', thrown]);
          return error.message.includes('"c"');
        },
      );
      assert.equal(cookie.read(from('c=1')), undefined);
    }
  });

  it('a schema that answers later by a promise of its own is refused, too: what it lets pass could never be read', () => {
    // biome-ignore lint/suspicious/noThenProperty: a promise of another library
    const validate = () => ({ then: () => {} }) as never;
    const cookie = defineCookie('c', { type: { '~standard': { version: 1, vendor: 'test', validate } } });
    assert.throws(() => sent(headers => cookie.write(headers, 1)), /answers later/);
    assert.equal(cookie.read(from('c=1')), undefined);
  });

  it('a schema that answers later is refused by name', () => {
    const later = { '~standard': { ...positive['~standard'], validate: async () => ({ value: 1 }) } };
    const cookie = defineCookie('later', { type: later });
    assert.throws(() => sent(headers => cookie.write(headers, 1)), /answers later/);
    assert.equal(cookie.read(from('later=1')), undefined);
  });

  it('and where it fails later, that ends no process', async () => {
    const validate = async () => {
      throw new Error('the database of the schema is down');
    };
    const cookie = defineCookie('later', { type: { '~standard': { ...positive['~standard'], validate } } });
    assert.equal(cookie.read(from('later=1')), undefined);
    assert.throws(() => sent(headers => cookie.write(headers, 1)), /answers later/);
    await new Promise(resolve => setImmediate(resolve));
  });

  it('wrong declarations throw at once', () => {
    const wrong: Array<[CookieOptions, string]> = [
      [{ maxAg: '1d' } as CookieOptions, 'ERR_OPTION_UNKNOWN'],
      [{ protection: 'signed' }, 'ERR_SECRET_MISSING'],
      [{ secret }, 'ERR_OPTION_CONFLICT'],
      [{ protection: 'locked' as 'signed', secret }, 'ERR_OPTION_INVALID'],
      [{ purpose: 'fun' as 'marketing' }, 'ERR_OPTION_INVALID'],
      [{ type: 'xml' as 'json' }, 'ERR_OPTION_INVALID'],
      [{ sameSite: 'none', secure: false }, 'ERR_COOKIE_ATTRIBUTE'],
      [{ maxAge: '1 day' as '1d' }, 'ERR_OPTION_INVALID'],
      [{ maxAge: 60 }, 'ERR_OPTION_INVALID'],
      [{ clock: 5 as never }, 'ERR_OPTION_INVALID'],
      [{ protection: 'locked' as 'signed' }, 'ERR_OPTION_INVALID'],
    ];
    for (const [options, code] of wrong) assert.throws(() => defineCookie('a', options), { code });
    assert.throws(() => defineCookie('a b'), { code: 'ERR_COOKIE_NAME' });
    assert.throws(() => defineCookie('n'.repeat(2000), { protection: 'signed', secret: 'k'.repeat(40) }), {
      code: 'ERR_COOKIE_NAME',
    });
    assert.throws(() => defineCookie('__Host-a', { path: '/x' }), { code: 'ERR_COOKIE_PREFIX' });
  });
});

for (const protection of ['signed', 'sealed'] as const) {
  describe(`a ${protection} cookie`, () => {
    const options = { protection, secret, type: 'json' } as const;
    const cookie = defineCookie('cart', options);
    const value = { user: 'canary', items: [1, 2] };
    const line = sent(headers => cookie.write(headers, value));

    it('comes back; C7 two of equal data differ when sealed', () => {
      assert.deepEqual(cookie.read(from(line)), value);
      if (protection === 'sealed')
        assert.notEqual(
          sent(headers => cookie.write(headers, value)),
          line,
        );
    });

    it('C12 sealed shows nothing; signed is readable by the client', () => {
      const decoded = line.split(/[=.]/).map(part => Buffer.from(part, 'base64url').toString('latin1'));
      assert.equal(decoded.join().includes('canary'), protection === 'signed');
    });

    it('C3 every flipped bit, every truncation, and what is unsigned, is refused', () => {
      const [name, text = ''] = line.split('=');
      for (let i = 0; i < text.length; i++) {
        for (const bit of [1, 2, 4, 8, 16, 32]) {
          const flipped = String.fromCharCode(text.charCodeAt(i) ^ bit);
          assert.equal(cookie.read(from(`${name}=${text.slice(0, i)}${flipped}${text.slice(i + 1)}`)), undefined);
        }
        assert.equal(cookie.read(from(`${name}=${text.slice(0, i)}`)), undefined);
      }
      for (const raw of [JSON.stringify(value), '%7B%7D', 's:x.y', `${text}A`, `${text}=`]) {
        assert.equal(cookie.read(from(`${name}=${raw}`)), undefined);
      }
    });

    it('C2 C7 a value moved to another name, purpose or protection is refused', () => {
      const moved = line.slice(line.indexOf('=') + 1);
      const elsewhere = [
        defineCookie('cart2', options).read(from(`cart2=${moved}`)),
        defineCookie('cart', { ...options, purpose: 'marketing' }).read(from(line)),
        defineCookie('cart', { ...options, protection: protection === 'signed' ? 'sealed' : 'signed' }).read(
          from(line),
        ),
      ];
      assert.deepEqual(elsewhere, [undefined, undefined, undefined]);
    });

    it('C4 C5 keys rotate in three steps', () => {
      const both = defineCookie('cart', { ...options, secret: [other, secret] });
      const alone = defineCookie('cart', { ...options, secret: other });
      assert.deepEqual(both.read(from(line)), value);
      assert.deepEqual(alone.read(from(sent(headers => both.write(headers, value)))), value);
      assert.equal(alone.read(from(line)), undefined);
    });

    it('C8 its age is checked here, whatever the browser keeps; a clock set back gives nothing', () => {
      const clock = createTestClock();
      const aging = defineCookie('cart', { ...options, maxAge: '1h', clock });
      const made = sent(headers => aging.write(headers, value));
      clock.advance(3_599_999);
      assert.deepEqual(aging.read(from(made)), value);
      clock.advance(1);
      assert.equal(aging.read(from(made)), undefined);
      clock.set(clock() - 3 * 3_600_000);
      assert.equal(aging.read(from(made)), undefined);
    });

    it('a clock that tells fractions of a millisecond, as performance.now() does, makes a cookie that is read', () => {
      const fine = defineCookie('cart', { ...options, maxAge: '1h', clock: () => performance.timeOrigin + 1000.25 });
      assert.deepEqual(fine.read(from(sent(headers => fine.write(headers, value)))), value);
    });

    it('C9 an unknown version is refused', () => {
      const [name, text = ''] = line.split('=');
      const bytes = Buffer.from(text, 'base64url');
      bytes[0] = 2;
      const next = protection === 'signed' ? text.replace(/^1/, '2') : bytes.toString('base64url');
      assert.equal(cookie.read(from(`${name}=${next}`)), undefined);
    });
  });
}

it('a signature is HMAC-SHA-256 by a key derived for its cookie, so that a cookie outlives the version that made it', () => {
  const clock = createTestClock();
  const written = sent(headers => defineCookie('note', { protection: 'signed', secret, clock }).write(headers, 'ä'));
  const body = `1.${Buffer.from('ä').toString('base64url')}.${clock().toString(36)}`;
  const key = Buffer.from(crypto.hkdfSync('sha256', secret, '', 'madeleine/1/cookie signed note necessary', 32));
  const signature = crypto.createHmac('sha256', key).update(body).digest('base64url');
  assert.equal(written, `note=${body}.${signature}`);
});

describe('an option that is undefined', () => {
  const lines = (cookie: { write(to: Headers, value: never): void }, value: unknown) => {
    const headers = new Headers();
    cookie.write(headers, value as never);
    return headers.getSetCookie();
  };

  it('is as good as not given: the default stands', () => {
    const none = { secure: undefined, httpOnly: undefined, path: undefined, maxAge: undefined };
    assert.deepEqual(lines(defineCookie('theme', none), 'dark'), lines(defineCookie('theme'), 'dark'));
    const theme = defineCookie('theme', { purpose: 'preferences' });
    assert.deepEqual(
      lines(defineConsent([theme], none), ['preferences']),
      lines(defineConsent([theme]), ['preferences']),
    );
  });

  it('is an error all the same where there is no such option', () => {
    assert.throws(() => defineCookie('theme', { maxage: undefined } as object), { code: 'ERR_OPTION_UNKNOWN' });
  });
});

describe('on every kind of request and response', () => {
  const cookie = defineCookie('theme', { maxAge: '30d', protection: 'signed', secret });

  it('Fetch: Request, Headers, Response', () => {
    const response = new Response('x', {
      headers: [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'theme=old'],
        ['Set-Cookie', 'b=2'],
      ],
    });
    cookie.write(response, 'dark');
    const lines = response.headers.getSetCookie();
    assert.deepEqual(
      lines.map(line => line.split('=')[0]),
      ['a', 'b', 'theme'],
    );
    assert.match(lines[2] as string, /Max-Age=2592000; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
    const back = (lines[2] as string).split(';')[0] as string;
    assert.equal(cookie.read(new Headers({ cookie: back })), 'dark');
    assert.equal(cookie.read(new Request('http://x.test/', { headers: { cookie: back } })), 'dark');
    cookie.clear(response);
    assert.match(response.headers.getSetCookie()[2] as string, /^theme=; Max-Age=0/);
  });

  it('what is no request, or no response that can be written to, is said', () => {
    const wrong = { code: 'ERR_OPTION_INVALID' };
    for (const target of [
      undefined,
      null,
      'x',
      {},
      { headers: {} },
      { headers: null },
      new Request('http://x.test/'),
    ]) {
      assert.throws(() => cookie.write(target as never, 'dark'), wrong);
      assert.throws(() => cookie.clear(target as never), wrong);
    }
    for (const source of [undefined, null, 'theme=dark', { headers: null }, { headers: undefined }])
      assert.throws(() => cookie.read(source as never), wrong);
    const redirect = Response.redirect('http://x.test/cart', 303);
    // Bun lets its headers be changed, though the standard says that they cannot be.
    if (!('bun' in process.versions))
      assert.throws(() => cookie.write(redirect, 'dark'), /new Response\(response\.body, response\)/);
    const copy = new Response(redirect.body, redirect);
    cookie.write(copy, 'dark');
    assert.equal(copy.headers.get('location'), 'http://x.test/cart');
    assert.equal(copy.headers.getSetCookie().length, 1);
  });

  const listeners: Array<[string, () => http.RequestListener]> = [
    ['node:http', () => (req, res) => handle(req, res)],
    ...EXPRESSES.map(({ name, express }): [string, () => http.RequestListener] => [
      name,
      () => {
        const app = express();
        app.use((req, res) => handle(req, res));
        return app;
      },
    ]),
  ];
  function handle(req: http.IncomingMessage, res: http.ServerResponse): void {
    if (req.url === '/read') {
      res.end(cookie.read(req) ?? 'none');
      return;
    }
    res.setHeader('Set-Cookie', req.url === '/list' ? ['a=1', 'theme=old'] : 'a=1');
    cookie.write(res, 'light');
    cookie.write(res, 'dark');
    res.flushHeaders();
    assert.throws(() => cookie.write(res, 'late'), { code: 'ERR_HEADERS_SENT' });
    res.end();
  }
  for (const [name, listener] of listeners) {
    it(`${name}: B14 one line for each name, others stay; B15 too late is an error`, async () => {
      const served = await serve(listener());
      for (const path of ['/one', '/list']) {
        const { setCookies } = await request(served.url + path);
        assert.deepEqual(
          setCookies.map(line => line.split('=')[0]),
          ['a', 'theme'],
        );
        const back = (setCookies[1] as string).split(';')[0] as string;
        assert.equal((await request(`${served.url}/read`, { headers: { cookie: back } })).body, 'dark');
      }
      assert.equal((await request(`${served.url}/read`)).body, 'none');
      await served.close();
    });
  }
});

it('K2 of one name twenty values are tried and no more, so that planted ones cost little', async () => {
  const cookie = defineCookie('c', { protection: 'sealed', secret });
  const genuine = sent(headers => cookie.write(headers, 'mine'));
  const planted = (count: number) => Array.from({ length: count }, (_, i) => `c=planted-${i}; other=${i}; `).join('');
  assert.equal(cookie.read(from(planted(19) + genuine)), 'mine');
  assert.equal(cookie.read(from(planted(20) + genuine)), undefined);
});

it('K2 a value larger than any browser sends is not opened; K8 more than 8 KiB in one response warn once', async context => {
  const plain = defineCookie('c1');
  assert.equal(plain.read(from(`c1=${'x'.repeat(4097)}`)), undefined);
  const headers = new Headers();
  const warnings = warningsIn(context);
  for (const name of ['c1', 'c2', 'c3', 'c4']) defineCookie(name).write(headers, 'x'.repeat(2700));
  plain.write(headers, 'x'.repeat(2700));
  plain.write(headers, 'x'.repeat(2701));
  await new Promise(resolve => setImmediate(resolve));
  const codes = warnings.map(({ code }) => code);
  assert.deepEqual(codes, ['MADELEINE_COOKIES_LARGE', 'MADELEINE_COOKIES_LARGE']); // c4, and c1 once
});

for (const { name, express } of EXPRESSES) {
  it(`K8 cookies that become more than 8 KiB by that of the session warn too: ${name}`, async context => {
    const app = express();
    app.use(session({ secret }));
    app.get('/:size', (req, res) => {
      req.session.username = 'shree';
      for (const cookie of ['a', 'b']) res.cookie(cookie, 'x'.repeat(Number(req.params['size'])));
      res.end();
    });
    const served = await serve(app);
    const warnings = warningsIn(context);
    for (const size of [4000, 4060]) {
      assert.equal(warnings.length, 0);
      assert.equal((await request(`${served.url}/${size}`)).setCookies.length, 3);
    }
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['MADELEINE_COOKIES_LARGE'],
    );
    await served.close();
  });
}
