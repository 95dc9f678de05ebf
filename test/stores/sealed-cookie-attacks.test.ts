// Sealed cookies that nobody sealed: changed, cut, mixed, moved, in great numbers.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createSessions, defineCookie } from 'madeleine';
import { session } from 'madeleine/express';
import { sealedCookieStore } from 'madeleine/sealed-cookie';
import type { Client } from '../support/client.ts';
import { openSealed, SECRET, type SealedApp } from './support/sealed-app.ts';

let app: SealedApp;
let one: Client;
let two: Client;
before(async () => {
  app = await openSealed();
});
after(() => app.close());
beforeEach(async () => {
  [one, two] = [app.client(), app.client()];
  await one.get('/login/ada');
  await two.get('/login/eve');
});

/** What the application sees of these cookies. */
async function seen(cookie: string): Promise<Record<string, unknown>> {
  const answer = await app.client().get('/data', { headers: { cookie } });
  assert.equal(answer.status, 200);
  return answer.json();
}
const NOBODY = { userId: null };

describe('C3 a sealed cookie that is not as we made it is no session', () => {
  it('each bit of it flipped, by the core; one of each character, by HTTP', async () => {
    const value = one.jar.get('session') as string;
    const facts = { secure: false, device: () => null };
    const { clock } = app;
    const sessions = createSessions({ secret: SECRET, store: sealedCookieStore(), clock });
    const userOf = async (cookie: string) => (await sessions.open(`session=${cookie}`, facts)).session.about.userId;
    assert.equal(await userOf(value), 'ada');
    for (let at = 0; at < value.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = String.fromCharCode(value.charCodeAt(at) ^ (1 << bit));
        // A quote, a blank or a semicolon at the end is not part of a value.
        const changed = value.slice(0, at) + flipped + value.slice(at + 1);
        if (at === value.length - 1 && flipped === ';') continue;
        assert.equal(await userOf(changed), null, `bit ${bit} of character ${at}`);
      }
    }
    for (let at = 0; at < value.length; at++) {
      const other = value[at] === 'A' ? 'B' : 'A';
      assert.deepEqual(await seen(`session=${value.slice(0, at)}${other}${value.slice(at + 1)}`), NOBODY, String(at));
    }
    for (const cut of [0, 1, 2, 3, 40, value.length - 1])
      assert.deepEqual(await seen(`session=${value.slice(0, cut)}`), NOBODY);
    await sessions.close();
  });

  it('C9 another version, with everything else as it was; C3 no seal at all', async () => {
    const box = Buffer.from((one.jar.get('session') as string).slice(2), 'base64url');
    for (const version of [0, 2, 255]) {
      box[0] = version;
      assert.deepEqual(await seen(`session=1.${box.toString('base64url')}`), NOBODY);
    }
    const plain = Buffer.from('["x",1,"ada",0,0,0,9999999999999,false,null]\n{}').toString('base64url');
    for (const value of [plain, `1.${plain}`, '1.', '.', '1', '1.%00', `1.${randomBytes(60).toString('base64url')}`]) {
      assert.deepEqual(await seen(`session=${value}`), NOBODY);
    }
  });

  it('J5 its answer is that of a stranger, an event tells of it, and a logout by it does nothing (C11)', async () => {
    const value = (one.jar.get('session') as string).replace(/.{4}$/, 'AAAA');
    const [forged, stranger] = [
      await app.client().get('/data', { headers: { cookie: `session=${value}` } }),
      await app.client().get('/data'),
    ];
    assert.equal(app.events.at(-1), 'forged');
    const { date: _one, ...headers } = forged.headers;
    const { date: _two, ...expected } = stranger.headers;
    assert.deepEqual([forged.body, headers], [stranger.body, expected]);
    const logout = await app.client().get('/logout', { headers: { cookie: `session=${value}` } });
    assert.deepEqual(logout.setCookies, []);
  });
});

describe('K4 the two parts of a large session', () => {
  let parts: [string, string];
  let foreign: [string, string];
  beforeEach(async () => {
    for (const client of [one, two]) await client.get('/fill/4500');
    const partsOf = ({ jar }: Client) => [jar.get('session'), jar.get('session.2')] as [string, string];
    [parts, foreign] = [partsOf(one), partsOf(two)];
  });

  it('belong together: missing, exchanged, doubled, swapped', async () => {
    const [first, second] = parts;
    const filled = String((await seen(`session=${first}; session.2=${second}`))['filling']).length;
    assert.equal(filled, 4500);
    assert.equal((await seen(`session.2=${second}; x=y; session=${first}`))['userId'], 'ada', 'in any order');
    const wrong: string[] = [
      `session=${first}`,
      `session.2=${second}`,
      `session=${first}; session.2=${foreign[1]}`,
      `session=${foreign[0]}; session.2=${second}`,
      `session=${first}; session.2=${second}; session.2=${foreign[1]}`,
      `session=${first}; session.2=`,
      `session=${second}; session.2=${first}`,
      `session=1${first.slice(1)}; session.2=${second}`,
      `session=1.${first.slice(2)}${second}`,
      `session=${first}; session.2=${second}A`,
      `session=${first}${second[0]}; session.2=${second.slice(2)}`,
    ];
    for (const [i, cookie] of wrong.entries()) assert.equal((await seen(cookie))['userId'], null, String(i));
  });

  it('are one or two, and nothing else is a number', async () => {
    const body = parts[0].slice(2);
    const counts = ['0', '3', '4', '9', '-1', '-2', '02', '2e0', '1e9', '999999', '+2', '２', '', 'NaN', '__proto__'];
    for (const count of counts) {
      const cookie = `session=${count}.${body}; session.2=${parts[1]}`;
      const bytes = Buffer.from(cookie).toString('latin1');
      assert.equal((await seen(bytes))['userId'], null, count);
    }
  });

  it('a second that a small session does not need is ignored, and cleared at the next write; no more than that one', async () => {
    await one.get('/fill/1');
    one.jar.set('session.2', 'left-over');
    for (let i = 0; i < 100; i++) one.jar.set(`session.${i}`, 'x');
    assert.equal((await one.get('/data')).json()['userId'], 'ada');
    const answer = await one.get('/put/a/b');
    assert.deepEqual(
      answer.setCookies.map(line => line.slice(0, line.indexOf('='))),
      ['session', 'session.2'],
    );
    assert.deepEqual((await one.get('/logout')).setCookies.length, 1);
  });
});

describe('C2 D8 a value under another name', () => {
  it('over https and over http, of another session(), of a declared cookie, of a session kept in a store', async () => {
    const value = one.jar.get('session') as string;
    const https = { 'x-forwarded-proto': 'https' };
    for (const cookie of [`session=${value}`, `__Host-session=${value}`, `__Secure-session=${value}`]) {
      const answer = await app.client().get('/data', { headers: { ...https, cookie } });
      assert.deepEqual(answer.json(), NOBODY);
    }
    const shop = await openSealed({}, { name: 'shop' });
    assert.deepEqual((await shop.client().get('/data', { headers: { cookie: `shop=${value}` } })).json(), NOBODY);
    await shop.close();

    const declared = defineCookie('session', { protection: 'sealed', secret: SECRET });
    const headers = new Headers();
    declared.write(headers, Buffer.from('["x",1,"ada",0,0,0,9999999999999,false,null]\n{}').toString());
    const sealed = (headers.getSetCookie()[0] as string).split(/[=;]/)[1];
    assert.deepEqual(await seen(`session=1.${sealed}`), NOBODY);
    assert.equal(declared.read(new Headers({ cookie: `session=${value.slice(2)}` })), undefined);

    const kept = session({ secret: SECRET });
    const facts = { secure: false, device: () => null };
    assert.equal((await kept.sessions.open(`session=${value}`, facts)).session.about.userId, null);
    await kept.sessions.close();
  });

  it('A7 of several under one name the genuine one counts; two genuine ones are not chosen between', async () => {
    const [ada, eve] = [one.jar.get('session'), two.jar.get('session')];
    assert.equal((await seen(`session=1.planted; session=${ada}`))['userId'], 'ada');
    assert.equal((await seen(`session=${ada}; session=${ada}`))['userId'], 'ada');
    assert.deepEqual(await seen(`session=${ada}; session=${eve}`), NOBODY);
    assert.equal(app.events.at(-1), 'duplicate'); // and not 'forged': both are ours
  });
});

describe('K1 K2 great numbers', () => {
  it('a million cookies are not read; as many as are read open nothing and are answered with nothing', async () => {
    const sessions = createSessions({ secret: SECRET, store: sealedCookieStore() });
    const facts = { secure: false, device: () => null };
    const value = one.jar.get('session') as string;
    const fields = [
      Array.from({ length: 1_000_000 }, (_, i) => `session.${i}=1.x`).join('; '),
      `${Array.from({ length: 1_000_000 }, () => 'session=2.x').join('; ')}; session=${value}`,
      Array.from({ length: 900 }, (_, i) => `session=2.${i}; session.2=${i}`).join('; '),
      `session=1.${'A'.repeat(60_000)}`,
      `session=2.${'A'.repeat(4000)}; session.2=${'A'.repeat(56_000)}`,
    ];
    for (const [i, field] of fields.entries()) {
      const open = await sessions.open(field, facts);
      assert.equal(open.session.about.userId, null, String(i));
      await open.commit();
      assert.deepEqual(open.setCookies(), []);
    }
    await sessions.close();
  });
});
