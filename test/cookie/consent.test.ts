// Cookies that need a visitor's consent: not before an answer, not against it, and gone when it is withdrawn.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ConsentPurpose, defineConsent, defineCookie } from 'madeleine';
import { Client } from '../support/client.ts';
import { serve } from '../support/serve.ts';

const cart = defineCookie('cart', { secure: false });
const theme = defineCookie('theme', { purpose: 'preferences', maxAge: '365d' });
const visitor = defineCookie('visitor', { purpose: 'statistics', maxAge: '365d', path: '/shop' });
const pixel = defineCookie('pixel', { purpose: 'marketing' });

/** What a browser sends back after this. */
function sentBack(write: (headers: Headers) => void): Headers {
  const headers = new Headers();
  write(headers);
  const pairs = headers.getSetCookie().filter(line => !line.includes('Max-Age=0'));
  return new Headers({ cookie: pairs.map(line => line.split(';')[0]).join('; ') });
}

describe('defineConsent', () => {
  const consent = defineConsent([cart, theme, visitor, pixel, theme]);

  it('asks for each purpose once, and for none that is necessary', () => {
    assert.deepEqual(consent.purposes, ['preferences', 'statistics', 'marketing']);
  });

  it('allows only what is necessary before there is an answer, whatever stands in its place', () => {
    const cookies = [
      '',
      'consent=',
      'consent=1',
      'consent=%5B%5D',
      'consent=null',
      'consent={"version":1}',
      'consent=%7B',
    ];
    for (const cookie of cookies) {
      const from = new Headers({ cookie });
      assert.equal(consent.read(from), undefined, cookie);
      assert.deepEqual(
        [cart, theme, visitor].map(one => consent.allows(from, one)),
        [true, false, false],
      );
    }
  });

  it('allows what was agreed to, and drops the cookies that were not', () => {
    const headers = new Headers();
    consent.write(headers, ['statistics']);
    const dropped = headers.getSetCookie().filter(line => line.includes('Max-Age=0'));
    assert.deepEqual(dropped.map(line => line.split('=')[0]).sort(), ['pixel', 'theme']);
    assert.match(headers.getSetCookie().find(line => line.startsWith('consent=')) ?? '', /Max-Age=15552000;.*HttpOnly/);
    const from = sentBack(to => consent.write(to, ['statistics']));
    assert.deepEqual(consent.read(from), ['statistics']);
    assert.deepEqual(
      [cart, theme, visitor, pixel].map(one => consent.allows(from, one)),
      [true, false, true, false],
    );
  });

  it('drops every optional cookie, where it was set, when all is withdrawn', () => {
    const headers = new Headers();
    consent.write(headers, []);
    const dropped = headers.getSetCookie().filter(line => line.includes('Max-Age=0'));
    assert.deepEqual(dropped.map(line => line.split('=')[0]).sort(), ['pixel', 'theme', 'visitor']);
    assert.match(dropped.find(line => line.startsWith('visitor')) ?? '', /Path=\/shop/);
    assert.deepEqual(consent.read(sentBack(to => consent.write(to, []))), []);
  });

  it('asks again when the question has changed: another version, or a purpose that was not among it', () => {
    const asked = defineConsent([theme, visitor]);
    const from = sentBack(to => asked.write(to, ['statistics']));
    assert.deepEqual(asked.read(from), ['statistics']);
    assert.equal(defineConsent([theme, visitor], { version: 2 }).read(from), undefined);
    assert.equal(defineConsent([theme, visitor, pixel]).read(from), undefined);
    assert.deepEqual(defineConsent([visitor]).read(from), ['statistics']);
  });

  it('of several answers, of which a neighbouring host may have planted one, keeps to what all of them agree to', () => {
    const planted = sentBack(to => consent.write(to, ['statistics', 'marketing'])).get('cookie');
    const own = sentBack(to => consent.write(to, ['preferences', 'statistics'])).get('cookie');
    for (const cookie of [`${planted}; ${own}`, `${own}; ${planted}`]) {
      assert.deepEqual(consent.read(new Headers({ cookie })), ['statistics']);
    }
    const refused = sentBack(to => consent.write(to, [])).get('cookie');
    assert.deepEqual(consent.read(new Headers({ cookie: `${planted}; ${refused}` })), []);
    // What is no answer to the present question says nothing, and no browser sends one of more than 4 KB.
    const tooLarge = `${refused}${'%20'.repeat(1400)}`;
    for (const none of ['consent=x', 'consent={"version":0}', tooLarge]) {
      assert.deepEqual(consent.read(new Headers({ cookie: `${none}; ${own}` })), ['preferences', 'statistics']);
    }
  });

  it('refuses a purpose that was not asked for', () => {
    for (const agreed of [['necessary'], ['marketing', 'x'], 'statistics', undefined, ['constructor']]) {
      const write = () => consent.write(new Headers(), agreed as ConsentPurpose[]);
      assert.throws(write, { code: 'ERR_COOKIE_VALUE' });
    }
  });

  it('refuses wrong options when it is declared', () => {
    assert.throws(() => defineConsent([{ name: 'a' }] as never), { code: 'ERR_OPTION_INVALID' });
    assert.throws(() => defineConsent(undefined as never), { code: 'ERR_OPTION_INVALID' });
    for (const version of [0, 1.5, '1', Number.NaN]) {
      assert.throws(() => defineConsent([], { version: version as number }), { code: 'ERR_OPTION_INVALID' });
    }
    assert.throws(() => defineConsent([], { purpose: 'necessary' } as object), { code: 'ERR_OPTION_UNKNOWN' });
    assert.throws(() => defineConsent([], { name: 'a b' }), { code: 'ERR_COOKIE_NAME' });
  });

  it('tracks a visitor over sockets from the answer to its withdrawal', async t => {
    const counted = defineConsent([visitor], { secure: false });
    const served = await serve((req, res) => {
      const answer = /^\/answer\/(\w*)$/.exec(req.url ?? '')?.[1];
      if (answer !== undefined)
        counted.write(
          res,
          counted.purposes.filter(purpose => purpose === answer),
        );
      else if (counted.allows(req, visitor)) visitor.write(res, visitor.read(req) ?? 'visitor-7');
      res.end(JSON.stringify({ asked: counted.read(req) !== undefined, visitor: visitor.read(req) ?? null }));
    });
    t.after(() => served.close());
    const client = new Client(served.url);
    const look = async () => (await client.get('/')).json();
    assert.deepEqual([await look(), await look()], Array(2).fill({ asked: false, visitor: null }));
    await client.get('/answer/statistics');
    assert.deepEqual(
      [await look(), await look()],
      [
        { asked: true, visitor: null },
        { asked: true, visitor: 'visitor-7' },
      ],
    );
    await client.get('/answer/');
    assert.deepEqual(await look(), { asked: true, visitor: null });
    assert.deepEqual([...client.jar.keys()], ['consent']);
  });
});
