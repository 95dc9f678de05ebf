// The Cookie field, against the lines of the security checklist (A, K), and beside jshttp/cookie.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCookie as peerParse } from 'cookie';
import fc from 'fast-check';
import { defineCookie, parseCookies } from 'madeleine';

const parsed = (field: string | string[] | undefined): Record<string, string> => ({ ...parseCookies(field) });

describe('parseCookies', () => {
  it('A1 splits on ; alone, the name ends at the first =, a comma never splits', () => {
    assert.deepEqual(parsed('a=b=c; d=e'), { a: 'b=c', d: 'e' });
    assert.deepEqual(parsed('a=1,b=2'), { a: '1,b=2' });
    assert.deepEqual(parsed('a=1;b=2;;c=3;'), { a: '1', b: '2', c: '3' });
  });

  it('A2 trims space and tab only, never Unicode white space', () => {
    assert.deepEqual(parsed(' \ta \t= \tb\t ; c=d'), { a: 'b', c: 'd' });
    for (const space of ['\u00a0', '\u2000', '\ufeff', 'â\u0080\u0080']) {
      assert.equal(parseCookies(`${space}__Host-sid=evil`)['__Host-sid'], undefined);
    }
  });

  it('A3 a pair without a name or without = yields nothing', () => {
    assert.deepEqual(parsed('=__Host-sid=evil; __Host-sid; =; ok=1'), { ok: '1' });
  });

  it('A4 names are never decoded, A5 and compare byte for byte', () => {
    const cookies = parseCookies('%5F%5FHost-sid=evil; __HOST-sid=evil; __host-sid=evil');
    assert.equal(cookies['__Host-sid'], undefined);
  });

  it('A6 a quote hides no ;, $Version and backslash mean nothing', () => {
    assert.equal(parseCookies('lang="b; sid=1337; c=d"')['sid'], '1337');
    assert.deepEqual(parsed('$Version=1; a="b"; c="\\"'), { $Version: '1', a: 'b', c: '\\' });
    assert.deepEqual(parsed('a="x; b=x"; c=""; d="'), { a: '"x', b: 'x"', c: '', d: '"' });
  });

  it('A7 of several with one name the first counts', () => {
    assert.deepEqual(parsed('a=1; a=2'), { a: '1' });
  });

  it('A8 several fields are as one', () => {
    assert.deepEqual(parsed(['a=1', 'b=2; a=3']), parsed('a=1; b=2; a=3'));
  });

  it('A9 the result has no prototype', () => {
    const cookies = parseCookies('__proto__=1; constructor=2');
    assert.equal(Object.getPrototypeOf(cookies), null);
    assert.deepEqual(Object.keys(cookies), ['__proto__', 'constructor']);
    assert.equal(cookies['constructor'], '2');
    assert.equal(cookies['toString'], undefined);
  });

  it('A10 values are decoded once; a bad sequence stays and harms nobody', () => {
    assert.deepEqual(parsed('a=%E0%A4%A; b=1; c=%2525; d=%e2%82%ac'), { a: '%E0%A4%A', b: '1', c: '%25', d: '€' });
  });

  it('A11 a pair with a control character is dropped', () => {
    for (const code of [0, 1, 8, 10, 13, 31, 127]) {
      const control = String.fromCharCode(code);
      assert.deepEqual(parsed(`a=x${control}y; b=1`), { b: '1' }, String(code));
      assert.deepEqual(parsed(`a${control}=x; b=1`), { b: '1' }, String(code));
    }
  });

  it('K1 reads a thousand cookies and no more; K2 a field over 64 KiB not at all', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `c${i}=1`).join(';');
    assert.equal(Object.keys(parseCookies(many.slice(0, 60_000))).length, 1000);
    assert.deepEqual(parsed(`a=${'x'.repeat(70_000)}`), {});
    assert.deepEqual(parsed('a=;'.repeat(10_000)), { a: '' });
  });

  it('K3 is linear on runs of anything', () => {
    for (const unit of [';', '=', '"', '\\', ' ', '\t', '%', '=;', '; =', 'a="', '%2']) {
      const started = process.cpuUsage().user;
      for (let i = 0; i < 20; i++) parseCookies(unit.repeat(Math.floor(65_000 / unit.length)));
      // A quadratic parser takes minutes for this; a linear one some milliseconds.
      assert.ok(process.cpuUsage().user - started < 5_000_000, unit);
    }
  });

  it('K3 is linear where the only = is far away: eight times as long takes about eight times as long', () => {
    // The quickest of many, so that what else the machine does counts for nothing. A quadratic parser takes 50 times as long.
    const quickest = (field: string) => {
      let nanoseconds = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 40; i++) {
        const started = process.hrtime.bigint();
        parseCookies(field);
        nanoseconds = Math.min(nanoseconds, Number(process.hrtime.bigint() - started));
      }
      return nanoseconds;
    };
    for (const unit of [';', 'a;', ' ;']) {
      const [long, short] = [64_000, 8000].map(length => quickest(`${unit.repeat(length / unit.length)}a=b`));
      assert.ok((long as number) < 24 * (short as number), `"${unit}": ${short} ns, then ${long} ns`);
    }
  });

  it('K9 never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), text => void parseCookies(text)),
      { numRuns: 3000 },
    );
  });

  it('K10 odd arguments give nothing', () => {
    for (const odd of [undefined, null, '', [], 42, {}, true]) assert.deepEqual(parsed(odd as undefined), {});
  });

  it('K5 no name reaches a prototype', () => {
    parseCookies('__proto__=polluted; constructor.prototype.polluted=1');
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
});

describe('beside jshttp/cookie', () => {
  const token = fc.stringMatching(/^[A-Za-z0-9_.$-]{1,12}$/);
  const octets = fc.stringMatching(/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{0,20}$/);

  it('the same for whatever a browser sends', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(token, octets), { maxLength: 8 }), pairs => {
        const field = pairs.map(([name, value]) => `${name}=${value}`).join('; ');
        assert.deepEqual(parsed(field), { ...peerParse(field) });
      }),
      { numRuns: 3000 },
    );
  });

  it('the differences are those that docs/cookies.md lists', () => {
    // A name that is empty is no cookie here.
    assert.deepEqual([parsed('=x'), { ...peerParse('=x') }], [{}, { '': 'x' }]);
    // Control characters are not let through.
    assert.deepEqual([parsed('a=\u0001'), { ...peerParse('a=\u0001') }], [{}, { a: '\u0001' }]);
    // Quotes around a value are no part of it.
    assert.deepEqual([parsed('a="b"'), { ...peerParse('a="b"') }], [{ a: 'b' }, { a: '"b"' }]);
    // There is a limit.
    assert.deepEqual(parsed(`a=${'x'.repeat(70_000)}`), {});
    assert.equal(peerParse(`a=${'x'.repeat(70_000)}`)['a']?.length, 70_000);
  });
});

it('K5 K9 read() of a declared cookie never throws', () => {
  const cookie = defineCookie('c', { type: 'json', protection: 'sealed', secret: 'x'.repeat(32) });
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), text => {
      assert.equal(cookie.read({ headers: { cookie: `c=${text}` } }), undefined);
    }),
    { numRuns: 2000 },
  );
});
