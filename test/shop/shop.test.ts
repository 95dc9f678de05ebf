// The demo shop as a newcomer meets it: a real process, real HTTP, kill -9 included.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { TestRequest } from 'madeleine/testing';
import { type Answer, Client, readSetCookie } from '../support/client.ts';
import { type Running, start } from '../support/process.ts';
import { temporaryFolder } from '../support/temporary-files.ts';

const DEMO = { email: 'demo@madeleine.test', password: 'tea-and-cake' };
const ADMIN = { email: 'admin@madeleine.test', password: 'keeper-of-keys' };

type SQLite = new (file: string) => { exec(sql: string): void; close(): void };

const folder = temporaryFolder();
let shop: Running;
let url: string;

async function open(): Promise<void> {
  shop = await start(
    'examples/shop/server.js',
    { PORT: '0', SHOP_DATA: folder },
    /(http:\/\/localhost:\d+)[\s\S]*all is as it was/,
  );
  url = shop.found;
}

before(open);
after(() => shop.kill());

/** Asks for pages, as browsers do. */
class Visitor extends Client {
  override tab(base = url): Client {
    const tab = new Visitor(base);
    for (const [name, value] of this.jar) tab.jar.set(name, value);
    return tab;
  }

  override send(method: string, where: string, request: TestRequest = {}): Promise<Answer> {
    return super.send(method, where, { ...request, headers: { accept: 'text/html,*/*;q=0.8', ...request.headers } });
  }
}

const visitor = (): Client => new Visitor(url);
const theme = ({ body }: Answer): string | undefined => /data-theme="(\w+)"/.exec(body)?.[1];

describe("the newcomer's walk", () => {
  it('logs in, fills a cart, goes dark, kills the server, and finds everything as it was', async () => {
    const client = visitor();
    await client.post('/cart', { id: 'linden', quantity: '2' });
    await client.post('/login', DEMO);
    await client.post('/cart', { id: 'classic', quantity: '3' });
    await client.post('/theme', { theme: 'dark', back: '/cart' });

    await shop.kill();
    await open();
    const later = client.tab(url);
    const cart = await later.get('/cart');
    assert.match(cart.body, /Linden blossom/);
    assert.match(cart.body, /Madeleine classique/);
    assert.match(cart.body, /Total <strong>€ 36\.20/);
    assert.equal(theme(cart), 'dark');
    assert.match((await later.get('/account')).body, /Hello, Marcel/);
  });

  it('every page is well and without scripts', async () => {
    const client = visitor();
    await client.post('/login', ADMIN);
    for (const page of ['/', '/product/rose', '/cart', '/account', '/account/devices', '/admin']) {
      const answer = await client.get(page);
      assert.equal(answer.status, 200, page);
      assert.doesNotMatch(answer.body, /<script|undefined|\[object/, page);
      assert.match(String(answer.headers['content-security-policy']), /default-src 'self'/);
    }
    assert.equal((await client.get('/style.css')).status, 200);
    assert.match(String((await client.get('/icon.svg')).headers['content-type']), /^image\/svg\+xml/);
    for (const page of ['/login', '/register'])
      assert.match((await visitor().get(page)).body, /type="password"[^>]*autocomplete="(current|new)-password"/);
    assert.equal((await client.get('/nowhere')).status, 404);
    assert.equal((await client.get('/product/nothing')).status, 404);
  });

  it('every page says what cookie and session have to do with it', async () => {
    const client = visitor();
    const behind = async (page: string) =>
      /<section id="behind">([\s\S]*?)<\/section>/.exec((await client.get(page)).body)?.[1] ?? '';
    assert.match(await behind('/'), /sent no session cookie[\s\S]*no session/);
    assert.match(await behind('/product/rose'), /sent no session cookie[\s\S]*begins one[\s\S]*viewed[\s\S]*rose/);
    assert.match(await behind('/cart'), /sent the cookie <code>session<\/code>[\s\S]*anonymous/);
    await client.post('/login', ADMIN);
    assert.match(await behind('/account'), /logged in/);
    for (const page of ['/login', '/register', '/account/devices', '/admin', '/thanks'])
      assert.match(await behind(page), /<dt>This page<\/dt>\s*<dd>\S/, page);
  });

  it('the secret is readable by nobody else', () => {
    assert.equal(statSync(path.join(folder, 'secret')).mode & 0o077, 0);
  });

  it('what it cannot use to start is said in a sentence', async () => {
    const { port } = new URL(url);
    const wrong: Array<[Record<string, string>, RegExp]> = [
      [{ PORT: port }, /^Port \d+ is in use\. Choose another: PORT=3001 npm start\n$/m],
      [{ PORT: '80a' }, /^Port 80a is not possible\. Choose another/m],
      [{ SHOP_DATA: import.meta.filename }, /^The shop cannot start: ENOTDIR.*\nIts data are in .*SHOP_DATA=.*\n$/m],
    ];
    for (const [env, said] of wrong) {
      const failed = start('examples/shop/server.js', { PORT: '0', SHOP_DATA: folder, ...env }, /is open/);
      await assert.rejects(failed, ({ message }: Error) => said.test(message.replace(/^.* ended with 1: /, '')));
    }
  });

  it('several that start at once in a new folder make one secret', async () => {
    const folders = Array.from({ length: 50 }, (_, i) => path.join(folder, `new-${i}`));
    const made = await threeAtOnce('secret.js', '({ keptSecret }, folder) => keptSecret(folder)', folders);
    for (const [i, secrets] of made.entries()) {
      assert.match(secrets[0] as string, /^[\w-]{43}$/);
      assert.deepEqual(new Set(secrets).size, 1, secrets.join());
      assert.deepEqual(readdirSync(folders[i] as string), ['secret']);
    }
  });

  it('and open one new database of users', async () => {
    const files = Array.from({ length: 20 }, (_, i) => path.join(folder, `users-${i}.db`));
    const opened = await threeAtOnce('users.js', 'async ({ openUsers }, file) => void (await openUsers(file))', files);
    assert.deepEqual(
      opened.flat().filter(error => error !== undefined),
      [],
    );
  });
});

/** What `call(module, place)` gives back, or its error, in three threads at once, place by place. */
async function threeAtOnce(module: string, call: string, places: string[]): Promise<unknown[][]> {
  const code = `
    const { parentPort, workerData: { url, places, present } } = require('node:worker_threads');
    import(url).then(async module => {
      const answers = [];
      for (const [i, place] of places.entries()) {
        Atomics.add(present, 0, 1);
        while (Atomics.load(present, 0) < 3 * (i + 1));
        try { answers.push(await (${call})(module, place)); } catch (error) { answers.push(String(error)); }
      }
      parentPort.postMessage(answers);
    });`;
  const url = `file://${path.resolve('examples/shop', module)}`;
  const workerData = { url, places, present: new Int32Array(new SharedArrayBuffer(4)) };
  const threads = [0, 1, 2].map(() => once(new Worker(code, { eval: true, workerData }), 'message'));
  const answers = (await Promise.all(threads)).map(([given]) => given as unknown[]);
  return places.map((_, i) => answers.map(given => given[i]));
}

describe('logging in', () => {
  it('remember me makes the cookie persistent; otherwise it ends with the browser', async () => {
    const brief = await visitor().post('/login', DEMO);
    const lasting = await visitor().post('/login', { ...DEMO, remember: 'on' });
    assert.doesNotMatch(brief.setCookies.join(), /Max-Age/);
    assert.match(lasting.setCookies.join(), /Max-Age=25(92000|91999)/);
  });

  it('an unknown user and a wrong password look the same, and what was typed stays', async () => {
    const wrong = await visitor().post('/login', { ...DEMO, password: 'wrong', remember: 'on' });
    const unknown = await visitor().post('/login', {
      email: 'nobody@madeleine.test',
      password: 'wrong',
      remember: 'on',
    });
    assert.equal(wrong.status, 422);
    assert.equal(wrong.body, unknown.body.replace('nobody@madeleine.test', DEMO.email));
    assert.match(wrong.body, /value="demo@madeleine\.test"/);
    assert.match(wrong.body, /checked/);
    assert.doesNotMatch(wrong.body, /value="wrong"/);
  });

  it('a bad registration says what is wrong and loses nothing typed; a good one logs in', async () => {
    const client = visitor();
    const bad = await client.post('/register', { name: '<b>Ann', email: 'no address', password: 'short' });
    assert.equal(bad.status, 422);
    assert.match(bad.body, /value="&lt;b&gt;Ann"/);
    assert.match(bad.body, /value="no address"/);
    assert.equal(bad.body.match(/class="error"/g)?.length, 2);
    const taken = await client.post('/register', {
      name: 'Ann',
      email: 'DEMO@madeleine.test',
      password: 'long enough',
    });
    assert.match(taken.body, /has an account already/);
    const good = await client.post('/register', {
      name: '<b>Ann',
      email: 'ann@madeleine.test',
      password: 'long enough',
    });
    assert.equal(good.headers.location, '/account');
    const account = (await client.get('/account')).body;
    assert.match(account, /Hello, &lt;b&gt;Ann/);
    assert.doesNotMatch(account, /<b>Ann/);
  });

  it('a page that needs a login leads there and back, and never to another site', async () => {
    const client = visitor();
    const refused = await client.get('/account/devices');
    assert.equal(refused.headers.location, '/login?returnTo=%2Faccount%2Fdevices');
    assert.deepEqual(refused.setCookies, [], 'begins no session');
    const { body } = await client.get(refused.headers.location as string);
    assert.match(body, /Please log in first\./);
    assert.match(body, /name="returnTo" value="\/account\/devices"/);
    const back = async (returnTo: string) => (await client.post('/login', { ...DEMO, returnTo })).headers.location;
    assert.equal(await back('/account/devices'), '/account/devices');
    for (const elsewhere of ['//evil.test', 'https://evil.test', '/\\evil.test', '/\tevil.test', '/%2fevil.test'])
      assert.equal(await back(elsewhere), '/account');
  });

  it('authentication, then authorization: the admin page', async () => {
    const client = visitor();
    assert.equal((await client.get('/admin')).status, 303);
    await client.post('/login', DEMO);
    assert.equal((await client.get('/admin')).status, 403);
    await client.post('/login', ADMIN);
    assert.equal((await client.get('/admin')).status, 200);
  });

  it('logging out ends the session and keeps the look', async () => {
    const client = visitor();
    await client.post('/login', DEMO);
    await client.post('/theme', { theme: 'dark', back: '/' });
    const thief = client.tab();
    await client.post('/logout');
    assert.equal((await client.get('/account')).status, 303);
    assert.equal(theme(await client.get('/')), 'dark');
    assert.equal((await thief.get('/account')).status, 303);
  });

  it('a deleted user is logged out', async () => {
    const client = visitor();
    await client.post('/register', { name: 'Gil', email: 'gil@madeleine.test', password: 'long enough' });
    const builtin = process.getBuiltinModule('node:sqlite' as string) as { DatabaseSync: SQLite } | undefined;
    const SQLite: SQLite = builtin?.DatabaseSync ?? createRequire(import.meta.url)('better-sqlite3');
    const users = new SQLite(path.join(folder, 'users.db'));
    users.exec("DELETE FROM users WHERE email = 'gil@madeleine.test'");
    users.close();
    const tab = client.tab();
    const answer = await client.get('/account');
    assert.equal(answer.headers.location, '/login?returnTo=%2Faccount');
    assert.deepEqual(
      answer.setCookies.map(line => readSetCookie(line).gone),
      [true],
    );
    assert.equal((await tab.get('/')).status, 200);
    assert.equal((await tab.get('/account')).status, 303);
  });

  it('who sends the registration twice is logged in twice', async () => {
    const form = { name: 'Eve', email: 'eve@madeleine.test', password: 'long enough' };
    const client = visitor();
    const answers = await Promise.all([client.tab().post('/register', form), client.tab().post('/register', form)]);
    assert.deepEqual(
      answers.map(({ headers }) => headers.location),
      ['/account', '/account'],
    );
    const other = await client.post('/register', { ...form, password: 'another one' });
    assert.match(other.body, /has an account already/);
  });

  it('a forged cookie starts clean', async () => {
    const client = visitor();
    client.jar.set('session', `1.${'A'.repeat(43)}.${'B'.repeat(43)}`);
    const answer = await client.get('/');
    assert.equal(answer.status, 200);
    assert.match(answer.body, /Log in/);
  });
});

describe('shopping', () => {
  it('two tabs that add at once lose nothing', async () => {
    const client = visitor();
    await client.get('/product/linden');
    const ids = ['classic', 'honey', 'rose', 'tin', 'pot', 'cup', 'ink', 'paper'];
    await Promise.all(ids.map(id => client.post('/cart', { id, quantity: '1' })));
    const { body } = await client.get('/cart');
    for (const id of ids) assert.match(body, new RegExp(`href="/product/${id}"`));
  });

  it('two processes that add the same thing count every piece, and take one order of it', async () => {
    const second = await start('examples/shop/server.js', { PORT: '0', SHOP_DATA: folder }, /(http:\/\/localhost:\d+)/);
    try {
      const client = visitor();
      await client.post('/cart', { id: 'ink', quantity: '1' });
      const tabs = [client.tab(), client.tab(second.found)];
      const adds = Array.from({ length: 40 }, (_, i) => tabs[i % 2]?.post('/cart', { id: 'ink', quantity: '1' }));
      await Promise.all(adds);
      assert.match((await client.get('/cart')).body, /aria-label="Quantity of Violet ink"[^>]*value="41"/);
      const orders = await Promise.all(tabs.map(tab => tab.post('/checkout')));
      assert.deepEqual(orders.map(({ headers }) => headers.location).sort(), ['/cart', '/thanks']);
    } finally {
      await second.kill();
    }
  });

  it('quantities change, lines go, the checkout empties the cart', async () => {
    const client = visitor();
    await client.post('/cart', { id: 'classic', quantity: '1' });
    await client.post('/cart', { id: 'ink', quantity: '1' });
    await client.post('/cart/classic', { quantity: '5' });
    // The second time from another tab, which still shows it.
    for (let times = 0; times < 2; times++) await client.post('/cart/ink', { remove: 'yes', quantity: '1' });
    assert.match((await client.get('/cart')).body, /Total <strong>€ 12\.00/);
    for (const quantity of ['many', '', '0x10']) {
      await client.post('/cart/classic', { quantity });
      assert.match((await client.get('/cart')).body, /Please choose a quantity/);
    }
    assert.equal((await client.post('/checkout')).headers.location, '/thanks');
    const thanks = (await client.get('/thanks')).body;
    assert.match(thanks, /Thank you/);
    assert.doesNotMatch(thanks, /class="count"/);
    assert.match((await client.get('/cart')).body, /Nothing in it yet/);
    assert.deepEqual((await visitor().post('/cart/ink', { quantity: '2' })).setCookies, [], 'begins no session');
  });

  it('"you may also like" follows what this visitor did', async () => {
    const suggestions = async (category: string[]): Promise<string[]> => {
      const client = visitor();
      for (const id of category) await client.get(`/product/${id}`);
      const section = (await client.get('/')).body.split('You may also like')[1]?.split('</section>')[0] ?? '';
      return [...section.matchAll(/\/product\/([\w-]+)/g)].map(match => match[1] as string);
    };
    assert.deepEqual(await suggestions([]), []);
    assert.deepEqual(await suggestions(['linden', 'combray']), ['balbec', 'swann', 'pot', 'cup']);
    assert.deepEqual((await suggestions(['ink', 'paper'])).slice(0, 2), ['notebook', 'bookmark']);
  });

  it('a form of another site is refused', async () => {
    const client = visitor();
    const foreign = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'http://evil.test' },
      { origin: 'null' },
    ];
    for (const headers of foreign)
      assert.equal((await client.post('/theme', { theme: 'dark' }, { headers })).status, 403);
    assert.equal((await client.post('/theme', { theme: 'dark' }, { headers: { origin: url } })).status, 303);
  });
});

describe('devices', () => {
  it('are listed, and can be logged out one by one or all others', async () => {
    const [desk, phone, tablet] = [visitor(), visitor(), visitor()];
    const user = { name: 'Bee', email: 'bee@madeleine.test', password: 'long enough' };
    await desk.post('/register', user, { headers: { 'user-agent': 'Desk' } });
    await phone.post('/login', user, { headers: { 'user-agent': 'Phone' } });
    await tablet.post('/login', user, { headers: { 'user-agent': 'Tablet' } });
    const { body } = await desk.get('/account/devices');
    assert.match(body, /Phone[\s\S]*|Tablet/);
    const handle = /<strong>Phone[\s\S]*?value="([\w-]{43})"/.exec(body)?.[1] as string;
    await desk.post('/account/devices', { handle });
    assert.equal((await phone.get('/account')).status, 303);
    assert.equal((await tablet.get('/account')).status, 200);
    await desk.post('/account/devices', { others: 'yes' });
    assert.equal((await tablet.get('/account')).status, 303);
    assert.equal((await desk.get('/account')).status, 200);
  });

  it("another user's handle does nothing", async () => {
    const [mine, other] = [visitor(), visitor()];
    await mine.post('/login', ADMIN);
    await other.post('/login', DEMO);
    await mine.post('/account/devices', { handle: 'A'.repeat(43) });
    assert.equal((await other.get('/account')).status, 200);
  });
});
