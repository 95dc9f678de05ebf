// The Set-Cookie field, against the lines of the security checklist (B), and beside jshttp/cookie.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCookie as peerParse, type SetCookie, stringifySetCookie } from 'cookie';
import fc from 'fast-check';
import { type CookieAttributes, clearCookie, defineCookie, parseCookies, serializeCookie } from 'madeleine';

const refuses = (code: string, name: string, value: string, attributes: unknown = {}): void => {
  assert.throws(
    () => serializeCookie(name, value, attributes as CookieAttributes),
    (error: { code: string; message: string }) => {
      assert.equal(error.code, code);
      if (value.length > 5) assert.ok(!error.message.includes(value), 'the message holds the value');
      return true;
    },
  );
};

describe('serializeCookie', () => {
  it('writes every attribute, once, in one form', () => {
    assert.equal(
      serializeCookie('a', 'b', {
        ...{
          maxAge: '1h',
          expires: new Date('2030-01-02T03:04:05Z'),
          domain: 'example.test',
          path: '/x',
          secure: true,
        },
        ...{ httpOnly: true, sameSite: 'strict', partitioned: true, priority: 'high' },
      }),
      'a=b; Max-Age=3600; Expires=Wed, 02 Jan 2030 03:04:05 GMT; Domain=example.test; Path=/x; Secure; HttpOnly; SameSite=Strict; Partitioned; Priority=High',
    );
  });

  it('B1 keeps the promises of the prefixes, and refuses them miscapitalised', () => {
    const all = { secure: true, httpOnly: true, path: '/' };
    for (const prefix of ['__Secure-', '__Host-', '__Http-', '__Host-Http-']) {
      assert.ok(serializeCookie(`${prefix}x`, '', all));
      refuses('ERR_COOKIE_PREFIX', `${prefix}x`, '', { ...all, secure: false });
      refuses('ERR_COOKIE_PREFIX', `${prefix.toLowerCase()}x`, '', all);
      refuses('ERR_COOKIE_PREFIX', `${prefix.toUpperCase()}x`, '', all);
      const http = prefix.includes('Http');
      const host = prefix.includes('Host');
      const noHttpOnly = { ...all, httpOnly: false };
      if (http) refuses('ERR_COOKIE_PREFIX', `${prefix}x`, '', noHttpOnly);
      else assert.ok(serializeCookie(`${prefix}x`, '', noHttpOnly));
      for (const other of [
        { ...all, path: '/x' },
        { ...all, domain: 'a.test' },
      ]) {
        if (host) refuses('ERR_COOKIE_PREFIX', `${prefix}x`, '', other);
        else assert.ok(serializeCookie(`${prefix}x`, '', other));
      }
    }
  });

  it('B2 a name is a token or an error', () => {
    const bad = [
      ...'()<>@,;:\\"/[]?={}',
      '\u007f',
      'é',
      '€',
      ...Array.from({ length: 33 }, (_, i) => String.fromCharCode(i)),
    ];
    for (const character of bad) refuses('ERR_COOKIE_NAME', `a${character}`, 'x');
    refuses('ERR_COOKIE_NAME', '', 'x');
    refuses('ERR_COOKIE_NAME', undefined as unknown as string, 'x');
  });

  it('B3 a value is cookie-octets or an error', () => {
    for (const value of [
      'secret\r\nSet-Cookie: x=1',
      'secret; Secure',
      'sec ret',
      'sec"ret',
      'sec,ret',
      'sec\\ret',
      'secreté',
    ]) {
      refuses('ERR_COOKIE_VALUE', 'a', value);
    }
  });

  it('B4 path and domain are checked as strictly', () => {
    for (const path of ['/; Domain=evil', 'x', '', '/\n', '/x ', '/ ', 42])
      refuses('ERR_COOKIE_ATTRIBUTE', 'a', '', { path });
    for (const domain of ['a; Secure', '.example.test', '-a.test', 'a..b', '', 'a_b'])
      refuses('ERR_COOKIE_ATTRIBUTE', 'a', '', { domain });
  });

  it('B5 other attributes are a closed set', () => {
    refuses('ERR_COOKIE_ATTRIBUTE', 'a', '', { sameSite: 'Lax; Domain=x' });
    refuses('ERR_COOKIE_ATTRIBUTE', 'a', '', { sameSite: true });
    refuses('ERR_COOKIE_ATTRIBUTE', 'a', '', { priority: 'urgent' });
    refuses('ERR_COOKIE_ATTRIBUTE', 'a', '', { secure: 'yes' });
    refuses('ERR_OPTION_UNKNOWN', 'a', '', { httponly: true });
    for (const word of ['constructor', '__proto__', null]) {
      refuses('ERR_COOKIE_ATTRIBUTE', 'a', '', { sameSite: word });
      refuses('ERR_COOKIE_ATTRIBUTE', 'a', '', { priority: word });
    }
    for (const wrong of ['Secure', null, [], () => {}]) refuses('ERR_OPTION_INVALID', 'a', '', wrong);
  });

  it('B6 own properties only', () => {
    const line = serializeCookie('a', 'b', Object.create({ domain: 'evil.test' }));
    assert.equal(line, 'a=b; Path=/; SameSite=Lax');
    const some = Object.assign(Object.create({ domain: 'evil.test' }), { path: '/x' });
    assert.equal(serializeCookie('a', 'b', some), 'a=b; Path=/x; SameSite=Lax');
    refuses('ERR_OPTION_UNKNOWN', 'a', 'b', JSON.parse('{"__proto__":{"domain":"evil"}}'));
  });

  it('B7 4096 bytes pass, 4097 do not; 1024 for an attribute', () => {
    assert.ok(serializeCookie('a', 'x'.repeat(4095)));
    refuses('ERR_COOKIE_TOO_LARGE', 'a', 'x'.repeat(4096));
    assert.ok(serializeCookie('a', '', { path: `/${'x'.repeat(1023)}` }));
    refuses('ERR_COOKIE_ATTRIBUTE', 'a', '', { path: `/${'x'.repeat(1024)}` });
  });

  it('B8 a lifetime is a positive whole number, cut at 400 days', () => {
    for (const maxAge of [Number.NaN, Number.POSITIVE_INFINITY, 1.5, '60', -1, 0])
      refuses('ERR_OPTION_INVALID', 'a', '', { maxAge });
    assert.match(serializeCookie('a', '', { maxAge: '401d' }), /Max-Age=34560000;/);
  });

  it('B9 a date is valid', () => {
    refuses('ERR_COOKIE_ATTRIBUTE', 'a', '', { expires: new Date(Number.NaN) });
    refuses('ERR_COOKIE_ATTRIBUTE', 'a', '', { expires: new Date('+020000-01-01') });
    refuses('ERR_COOKIE_ATTRIBUTE', 'a', '', { expires: 'tomorrow' });
  });

  it('B10 SameSite is always written; B11 None and Partitioned need Secure', () => {
    assert.match(serializeCookie('a', ''), /; SameSite=Lax$/);
    refuses('ERR_COOKIE_ATTRIBUTE', 'a', '', { sameSite: 'none' });
    refuses('ERR_COOKIE_ATTRIBUTE', 'a', '', { partitioned: true });
  });
});

describe('B13 clearCookie', () => {
  it('repeats name, path, domain and flags, and empties a jar', () => {
    const sets: Array<[string, CookieAttributes]> = [
      ['__Host-a', { secure: true, httpOnly: true, maxAge: '1d' }],
      ['b', { path: '/x', domain: 'example.test', sameSite: 'none', secure: true, partitioned: true }],
      ['c', { expires: new Date('2030-01-01') }],
    ];
    const jar = new Map<string, string>();
    const keep = (line: string) => {
      const [pair = '', ...attributes] = line.split('; ');
      const identity = attributes.filter(text => /^(Path|Domain|Partitioned)/.test(text)).join();
      const key = `${pair.split('=')[0]} ${identity}`;
      if (attributes.includes('Max-Age=0')) jar.delete(key);
      else jar.set(key, pair);
    };
    for (const [name, attributes] of sets) keep(serializeCookie(name, 'x', attributes));
    assert.equal(jar.size, 3);
    for (const [name, attributes] of sets) keep(clearCookie(name, attributes));
    assert.equal(jar.size, 0);
    assert.match(clearCookie('c'), /^c=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=\/; SameSite=Lax$/);
  });
});

describe('beside jshttp/cookie', () => {
  const peerSerialize = (name: string, value: string, attributes: Partial<SetCookie> = {}) =>
    stringifySetCookie({ name, value, ...attributes });
  const name = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}$/).filter(text => !text.startsWith('__'));
  const value = fc.stringMatching(/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{0,20}$/);

  it('what either writes, both read the same', () => {
    fc.assert(
      fc.property(name, value, (cookie, text) => {
        const ours = serializeCookie(cookie, encodeURIComponent(text)).split('; ')[0] as string;
        for (const line of [ours, peerSerialize(cookie, text)]) {
          assert.equal(parseCookies(line)[cookie], text);
          assert.equal(peerParse(line)[cookie], text);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('a declared cookie has the value that the peer writes, for any text', () => {
    const wellFormed = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(name, wellFormed, (cookie, text) => {
        const headers = new Headers();
        defineCookie(cookie).write(headers, text);
        assert.equal(headers.getSetCookie()[0]?.split('; ')[0], peerSerialize(cookie, text));
      }),
      {
        numRuns: 3000,
        examples: [
          ['a', '100%'],
          ['a', 'a;b,c "d" \\ é 日'],
        ] as Array<[string, string]>,
      },
    );
  });

  it('the differences are those that docs/cookies.md lists', () => {
    assert.equal(peerSerialize('a', 'b'), 'a=b');
    assert.equal(serializeCookie('a', 'b'), 'a=b; Path=/; SameSite=Lax');
    assert.ok(peerSerialize('__Host-a', 'b'));
    assert.ok(peerSerialize('a', 'x'.repeat(5000)));
    assert.match(peerSerialize('a', 'b', { maxAge: 500 * 86400 }), /Max-Age=43200000/);
    assert.equal(peerSerialize('a', 'é'), 'a=%C3%A9');
    refuses('ERR_COOKIE_VALUE', 'a', 'é');
  });
});

it('clearCookie refuses what is no object of attributes, as serializeCookie does', () => {
  for (const given of [null, 5, [], () => {}, 'text']) {
    assert.throws(() => clearCookie('a', given as never), { code: 'ERR_OPTION_INVALID' });
    assert.throws(() => serializeCookie('a', 'b', given as never), { code: 'ERR_OPTION_INVALID' });
  }
});
