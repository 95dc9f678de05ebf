// What a request presents as its session: cookies that a neighbouring host has planted, ids elsewhere than in the cookie, plain http.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it, type TestContext } from 'node:test';
import express from 'express';
import type { SessionCookieOptions } from 'madeleine';
import { session } from 'madeleine/express';
import { session as fetchSession } from 'madeleine/fetch';
import { session as nodeSession } from 'madeleine/node';
import { Client } from '../support/client.ts';
import { inProduction } from '../support/production.ts';
import { type Served, serve } from '../support/serve.ts';
import { ownWarnings, warningsIn } from '../support/warnings.ts';

const secret = 'a secret of more than thirty-two bytes';

describe('what a request presents', () => {
  const events: string[] = [];
  let served: Served;
  let ada = '';
  let eve = '';

  before(async () => {
    const remember = session({ secret });
    for (const name of ['forged', 'duplicate'] as const) {
      remember.sessions.on(name, event => events.push(`${name} ${JSON.stringify(event)}`));
    }
    const app = express();
    app.use(express.urlencoded({ extended: false }), remember);
    app.get('/login/:user', async (req, res) => {
      await req.session.login(req.params.user);
      res.end();
    });
    app.all('/', (req, res) => void res.json(req.session.about.userId));
    served = await serve(app);
    ada = await cookieOf('ada');
    eve = await cookieOf('eve');
  });
  after(() => served.close());

  async function cookieOf(user: string): Promise<string> {
    const client = new Client(served.url);
    await client.get(`/login/${user}`);
    return client.jar.get('session') as string;
  }

  async function userOf(path: string, headers: Record<string, string>): Promise<unknown> {
    events.length = 0;
    return (await new Client(served.url).get(path, { headers })).json();
  }

  it('A7 of several cookies the genuine one counts, wherever it stands; two genuine ones are not chosen between', async () => {
    const junk = `1.${'A'.repeat(43)}.${'A'.repeat(43)}`;
    for (const cookie of [
      `session=${junk}; session=${ada}`,
      `session=${ada}; session=${junk}`,
      `session=x; session=${ada}; session=${junk}`,
    ]) {
      assert.equal(await userOf('/', { cookie }), 'ada');
      assert.deepEqual(events, ['duplicate {"valid":1}']);
    }
    assert.equal(await userOf('/', { cookie: `session=${ada}; session=${ada}` }), 'ada');
    assert.deepEqual(events, []);
    for (const cookie of [`session=${ada}; session=${eve}`, `session=${eve}; session=${ada}`]) {
      assert.equal(await userOf('/', { cookie }), null);
      assert.deepEqual(events, ['duplicate {"valid":2}']);
    }
  });

  it('what is not genuine raises "forged", once, however many there are', async () => {
    assert.equal(await userOf('/', { cookie: 'session=x' }), null);
    assert.deepEqual(events, ['forged {}']);
    assert.equal(await userOf('/', { cookie: 'session=x; session=y' }), null);
    assert.deepEqual(events, ['duplicate {"valid":0}', 'forged {}']);
  });

  it('D5 an id counts in the cookie alone: not in the target, a body or another field', async () => {
    const value = encodeURIComponent(ada);
    const fields = { session: ada, 'x-session': ada, 'x-session-id': ada, authorization: `Bearer ${ada}` };
    assert.equal(await userOf(`/?session=${value}&sid=${value}&session_id=${value}`, fields), null);
    const body = `session=${value}&sid=${value}`;
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await new Client(served.url).send('POST', '/', { headers: type, body });
    assert.equal(answer.json(), null);
  });
});

/** Plain Node that puts something into each session; its address. */
async function servePlainNode(t: TestContext): Promise<string> {
  const { withSession, of } = nodeSession({ secret });
  const served = await serve(
    withSession((req, res) => {
      of(req)['cart'] = ['tea'];
      res.end();
    }),
  );
  t.after(() => served.close());
  return served.url;
}

/** The same for Fetch. */
function fetchHandler(): (request: Request) => Promise<Response> {
  const { withSession, of } = fetchSession({ secret });
  return withSession(request => {
    of(request)['cart'] = ['tea'];
    return new Response('ok');
  });
}

describe('plain http, behind a proxy that may not be trusted', () => {
  const putTea: express.Handler = (req, res) => {
    req.session['cart'] = ['tea'];
    res.end();
  };
  /** Asks twice, and gives the cookies of the first answer and the warnings. */
  async function ask(t: TestContext, url: string, headers: Record<string, string>) {
    const warnings = warningsIn(t);
    const { setCookies } = await new Client(url).send('GET', '/', { headers });
    await new Client(url).send('GET', '/', { headers });
    return { setCookies, warnings };
  }
  async function serveExpress(t: TestContext, secure: boolean | 'auto', trust: number) {
    const app = express();
    app.set('trust proxy', trust);
    app.use(session({ secret, cookie: { secure } }));
    app.get('/', putTea);
    const served = await serve(app);
    t.after(() => served.close());
    return served.url;
  }
  const overHttps = { 'x-forwarded-proto': 'https' };

  it('I2 a cookie that has to be Secure is not set; a warning names the setting of the proxy, once, in production too', async t => {
    const url = await serveExpress(t, true, 0);
    const { setCookies, warnings } = await inProduction(() => ask(t, url, {}));
    assert.deepEqual(setCookies, []);
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['MADELEINE_INSECURE'],
    );
    assert.match(warnings[0]?.message ?? '', /app\.set\('trust proxy', 1\)/);
  });

  it('one that follows the connection is set without Secure; a warning says so where the client came over https', async t => {
    const url = await serveExpress(t, 'auto', 0);
    const { setCookies, warnings } = await inProduction(() => ask(t, url, overHttps));
    assert.match(setCookies[0] ?? '', /^session=(?!.*; Secure)/);
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['MADELEINE_PROXY'],
    );
    assert.match(warnings[0]?.message ?? '', /app\.set\('trust proxy', 1\)/);
  });

  it('the same on plain Node and for Fetch', async t => {
    const nodes = await ask(t, await servePlainNode(t), overHttps);
    assert.deepEqual(
      nodes.warnings.map(({ code }) => code),
      ['MADELEINE_PROXY'],
    );
    const warned = once(process, 'warning');
    await fetchHandler()(new Request('http://shop.example/', { headers: { 'x-forwarded-proto': 'HTTPS, http' } }));
    assert.equal(((await warned)[0] as { code?: string }).code, 'MADELEINE_PROXY');
  });

  it('no warning where the proxy is trusted, where it says http, or where the cookie is never Secure', async t => {
    const trusted = await ask(t, await serveExpress(t, 'auto', 1), overHttps);
    assert.match(trusted.setCookies[0] ?? '', /^__Host-session=.*; Secure/);
    const http = await ask(t, await serveExpress(t, 'auto', 0), { 'x-forwarded-proto': 'http' });
    const within = await ask(t, await serveExpress(t, 'auto', 0), { 'x-forwarded-proto': 'http, https' });
    const never = await ask(t, await serveExpress(t, false, 0), overHttps);
    assert.deepEqual([...trusted.warnings, ...http.warnings, ...within.warnings, ...never.warnings], []);
  });
});

describe('a script of a page on another site', () => {
  const fields = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' };
  /** What is warned of when a script logs in so, twice, with this cookie. */
  async function codesOf(t: TestContext, cookie: SessionCookieOptions, headers: Record<string, string>) {
    const warnings = warningsIn(t);
    const app = express();
    app.set('trust proxy', 1);
    app.use(session({ secret, cookie }));
    app.post('/login', async (req, res) => {
      await req.session.login('ada');
      res.end();
    });
    const served = await serve(app);
    t.after(() => served.close());
    for (let i = 0; i < 2; i++) await new Client(served.url).send('POST', '/login', { headers });
    return ownWarnings(warnings).map(({ code }) => code);
  }

  it('is told in development that its browser drops a Lax or a Strict cookie, once', async t => {
    assert.deepEqual(await codesOf(t, {}, fields), ['MADELEINE_SAMESITE']);
    assert.deepEqual(await codesOf(t, { sameSite: 'strict' }, fields), ['MADELEINE_SAMESITE']);
    assert.deepEqual(await inProduction(() => codesOf(t, { secure: false }, fields)), ['MADELEINE_MEMORY']);
  });

  it('not where the cookie is SameSite=None, the page of this site, or a page that is opened', async t => {
    const https = { 'x-forwarded-proto': 'https' };
    const none = await codesOf(t, { sameSite: 'none', secure: true }, { ...fields, ...https });
    const sameSite = await codesOf(t, {}, { ...fields, 'sec-fetch-site': 'same-site' });
    const opened = await codesOf(t, {}, { ...fields, 'sec-fetch-mode': 'navigate' });
    assert.deepEqual([none, sameSite, opened], [[], [], []]);
  });

  it('the same on plain Node and for Fetch', async t => {
    const warnings = warningsIn(t);
    await new Client(await servePlainNode(t)).send('GET', '/', { headers: fields });
    const warned = once(process, 'warning');
    await fetchHandler()(new Request('http://shop.example/', { headers: fields }));
    await warned;
    assert.deepEqual(
      ownWarnings(warnings).map(({ code }) => code),
      ['MADELEINE_SAMESITE', 'MADELEINE_SAMESITE'],
    );
  });
});

describe('SameSite=None over plain http', () => {
  it("is not told to take secure: 'auto', which contradicts it", async t => {
    const warnings = warningsIn(t);
    const app = express();
    app.use(session({ secret, cookie: { sameSite: 'none', secure: true } }));
    app.get('/', (req, res) => {
      req.session['cart'] = ['tea'];
      res.end();
    });
    const served = await serve(app);
    t.after(() => served.close());
    await new Client(served.url).get('/');
    const [warning] = ownWarnings(warnings);
    assert.equal(warning?.code, 'MADELEINE_INSECURE');
    assert.match(warning?.message ?? '', /sameSite/);
  });
});
