// loginAs in a real Chromium: the cookie as Playwright's addCookies takes it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { session } from 'madeleine/node';
import { loginAs } from 'madeleine/testing';
import { need } from '../servers/need.ts';
import { openBrowser } from '../support/browser.ts';
import { serve } from '../support/serve.ts';

const secret = 'a secret of more than thirty-two bytes';

describe('loginAs in Chromium', { skip: need('chromium') }, () => {
  it('Playwright’s addCookies', async context => {
    const remember = session({ secret });
    const { url, close } = await serve(
      remember.withSession((req, res) => res.end(JSON.stringify(req.session.about.userId))),
    );
    context.after(close);
    const profile = mkdtempSync(path.join(tmpdir(), 'madeleine-login-as-'));
    const browser = await openBrowser(profile);
    context.after(async () => {
      await browser.close();
      rmSync(profile, { recursive: true });
    });
    const page = await browser.newPage();
    await page.goto(url);
    assert.equal(await page.locator('body').textContent(), 'null');
    const { name, value } = await loginAs(remember, 'ada');
    await browser.addCookies([{ name, value, url }]);
    await page.goto(url);
    assert.equal(await page.locator('body').textContent(), '"ada"');
  });
});
