// The demo shop in a real Chromium: what a person sees who uses two tabs, the back button and "remember me".
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { need } from '../servers/need.ts';
import { openBrowser } from '../support/browser.ts';
import { type Running, start } from '../support/process.ts';
import { serve } from '../support/serve.ts';
import { temporaryFolder } from '../support/temporary-files.ts';

const DEMO = { email: 'demo@madeleine.test', password: 'tea-and-cake' };

describe('the shop in Chromium', { skip: need('chromium') }, () => {
  const folder = temporaryFolder();
  let shop: Running;
  let port = '0';
  const at = (where: string): string => `http://shop.localhost:${port}${where}`;

  async function open(): Promise<void> {
    const env = { PORT: port, SHOP_DATA: path.join(folder, 'shop') };
    shop = await start('examples/shop/server.js', env, /http:\/\/localhost:(\d+)[\s\S]*all is as it was/);
    port = shop.found;
  }

  async function logIn(page: Page, remember = false): Promise<void> {
    await page.goto(at('/login'));
    await page.getByLabel('E-mail').fill(DEMO.email);
    await page.getByLabel('Password').fill(DEMO.password);
    if (remember) await page.getByLabel('Remember me').check();
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Hello, Marcel' }).waitFor();
  }

  async function addToCart(page: Page, product: string): Promise<void> {
    await page.goto(at(`/product/${product}`));
    await page.getByRole('button', { name: 'Put into the cart' }).click();
    await page.waitForURL(at('/cart'));
  }

  const inCart = async (page: Page): Promise<string> => {
    await page.goto(at('/cart'));
    return (await page.locator('main').textContent()) ?? '';
  };

  let browser: BrowserContext;

  before(open);
  afterEach(() => browser.close());
  after(() => shop.kill());

  it('a cart of two tabs, the login and the dark theme outlive kill -9', async () => {
    browser = await openBrowser(temporaryFolder());
    const page = await browser.newPage();
    await addToCart(page, 'linden');
    await logIn(page);
    const tab = await browser.newPage();
    await Promise.all([addToCart(page, 'classic'), addToCart(tab, 'honey')]);
    await page.getByRole('button', { name: 'Dark' }).click();
    await page.locator('html[data-theme=dark]').waitFor();

    await shop.kill();
    await open();
    const text = await inCart(tab);
    for (const product of ['Linden blossom', 'Madeleine classique', 'Chestnut honey'])
      assert.ok(text.includes(product));
    assert.equal(await tab.locator('html').getAttribute('data-theme'), 'dark');
    await tab.goto(at('/account'));
    await tab.getByRole('heading', { name: 'Hello, Marcel' }).waitFor();
  });

  it('"remember me" outlives the browser; a login without it does not', async () => {
    for (const remember of [true, false]) {
      const profile = temporaryFolder();
      browser = await openBrowser(profile);
      await logIn(await browser.newPage(), remember);
      await browser.close();
      browser = await openBrowser(profile);
      const page = await browser.newPage();
      await page.goto(at('/account'));
      assert.equal(new URL(page.url()).pathname, remember ? '/account' : '/login');
      await browser.close();
    }
  });

  it('after the logout the back button shows no account, in no tab', async () => {
    browser = await openBrowser(temporaryFolder());
    const page = await browser.newPage();
    await logIn(page);
    const tab = await browser.newPage();
    await tab.goto(at('/account'));
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.waitForURL(at('/'));
    await page.goBack();
    assert.equal(new URL(page.url()).pathname, '/login');
    await tab.reload();
    assert.equal(new URL(tab.url()).pathname, '/login');
  });

  it('nor does the page come back as it stood, where the browser keeps whole pages for the back button', async () => {
    browser = await openBrowser(temporaryFolder(), { ignoreDefaultArgs: ['--disable-back-forward-cache'] });
    const page = await browser.newPage();
    // A page that may be kept shows that this browser does.
    await page.goto(at('/'));
    await page.evaluate(() => Object.assign(globalThis, { kept: true }));
    await page.goto(at('/login'));
    await page.goBack({ waitUntil: 'commit' });
    assert.equal(await page.evaluate(() => 'kept' in globalThis), true);

    await logIn(page);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.waitForURL(at('/'));
    await page.goBack({ waitUntil: 'commit' });
    await page.waitForURL(at('/login?*'));
  });

  it('looks as the system does until something else is chosen, and breaks a long name', async () => {
    browser = await openBrowser(temporaryFolder(), { colorScheme: 'dark', viewport: { width: 390, height: 844 } });
    const page = await browser.newPage();
    const paper = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    await page.goto(at('/register'));
    assert.equal(await paper(), 'rgb(25, 21, 19)');
    await page.getByLabel('Name').fill('x'.repeat(60));
    await page.getByLabel('E-mail').fill(`${'y'.repeat(60)}@madeleine.test`);
    await page.getByLabel('Password').fill('long enough');
    await page.getByRole('button', { name: 'Make the account' }).click();
    await page.waitForURL(at('/account'));
    await page.getByRole('button', { name: 'Light' }).click();
    await page.locator('html[data-theme=light]').waitFor();
    assert.equal(await paper(), 'rgb(251, 247, 240)');
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390);
  });

  it('says why nobody is logged in where cookies are blocked', async () => {
    const profile = temporaryFolder();
    mkdirSync(path.join(profile, 'Default'), { recursive: true });
    const blocked = { profile: { default_content_setting_values: { cookies: 2 } } };
    writeFileSync(path.join(profile, 'Default', 'Preferences'), JSON.stringify(blocked));
    browser = await openBrowser(profile);
    const page = await browser.newPage();
    await page.goto(at('/login'));
    await page.getByLabel('E-mail').fill(DEMO.email);
    await page.getByLabel('Password').fill(DEMO.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('your browser keeps no cookie for this shop').waitFor();
  });

  it('a form of another site neither logs out nor fills the cart', async () => {
    browser = await openBrowser(temporaryFolder());
    const page = await browser.newPage();
    await logIn(page);
    const evil = await serve((request, response) => {
      const action = at(new URL(request.url as string, 'http://evil').pathname);
      response.setHeader('Content-Type', 'text/html');
      response.end(`<form method="post" action="${action}"><input name="id" value="rose"><button>Win</button></form>`);
    });
    for (const path of ['/logout', '/cart']) {
      await page.goto(`http://evil.localhost:${evil.port}${path}`);
      await page.getByRole('button', { name: 'Win' }).click();
      await page.waitForURL(at(path));
    }
    assert.doesNotMatch(await inCart(page), /Rose madeleine/);
    await page.goto(at('/account'));
    await page.getByRole('heading', { name: 'Hello, Marcel' }).waitFor();
    await evil.close();
  });
});
