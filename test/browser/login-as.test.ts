// loginAs in a real Chromium: the cookie as Playwright's addCookies takes it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { session } from 'madeleine/node';
import { loginAs } from 'madeleine/testing';
import { need } from '../servers/need.ts';
import { openBrowser } from '../support/browser.ts';
import { serve } from '../support/serve.ts';
import { temporaryFolder } from '../support/temporary-files.ts';

const secret = 'a secret of more than thirty-two bytes';

describe('loginAs in Chromium', { skip: need('chromium') }, () => {
  it('Playwright’s addCookies', async context => {
    const remember = session({ secret });
    const { url, close } = await serve(
      remember.withSession((req, res) => res.end(JSON.stringify(req.session.about.userId))),
    );
    context.after(close);
    const browser = await openBrowser(temporaryFolder());
    context.after(() => browser.close());
    const page = await browser.newPage();
    await page.goto(url);
    assert.equal(await page.locator('body').textContent(), 'null');
    const { name, value } = await loginAs(remember, 'ada');
    await browser.addCookies([{ name, value, url }]);
    await page.goto(url);
    assert.equal(await page.locator('body').textContent(), '"ada"');
  });
});
