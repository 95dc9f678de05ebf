// loginAs: the cookie that it gives is taken by every framework, in the way in which each one's tests ask.
import assert from 'node:assert/strict';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import connect from 'connect';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import * as onExpress from 'madeleine/express';
import * as onFastify from 'madeleine/fastify';
import * as onFetch from 'madeleine/fetch';
import * as onHono from 'madeleine/hono';
import * as onKoa from 'madeleine/koa';
import * as onNode from 'madeleine/node';
import { loginAs } from 'madeleine/testing';
import polka from 'polka';
import { request } from '../support/client.ts';
import { EXPRESSES } from '../support/expresses.ts';
import { serve, serveOn } from '../support/serve.ts';

const secret = 'a secret of more than thirty-two bytes';

/** Who the application at this address says it is asked by. */
const nameOf = async (url: string, cookie?: string): Promise<unknown> =>
  JSON.parse((await request(url, { headers: cookie ? { cookie } : {} })).body);

describe('loginAs', () => {
  it('Express', async context => {
    const remember = onExpress.session({ secret });
    const app = express()
      .use(remember)
      .get('/', (req, res) => void res.json(req.session.about.userId));
    const { url, close } = await serve(app);
    context.after(close);
    for (const owner of [remember, remember.sessions, app])
      assert.equal(await nameOf(url, (await loginAs(owner, 'ada')).header), 'ada');
    assert.equal(await nameOf(url), null);
  });

  it('Express, by the application alone: 4 and 5, and where a router uses the session', async context => {
    for (const { express } of EXPRESSES) {
      const router = express.Router().use(onExpress.session({ secret }));
      router.get('/', (req, res) => void res.json(req.session.about.userId));
      const app = express().use(router);
      const { url, close } = await serve(app);
      context.after(close);
      const cookie = await loginAs(app, 'ada');
      assert.equal(await nameOf(url, String(cookie)), 'ada');
    }
  });

  it('connect and polka, by the application alone', async context => {
    const sayWho = (req: unknown, res: ServerResponse) =>
      res.end(JSON.stringify((req as { session: { about: { userId: string | null } } }).session.about.userId));
    const onConnect = connect().use(onNode.session({ secret })).use(sayWho);
    const onPolka = polka().use(onNode.session({ secret })).use(sayWho);
    for (const [app, listener] of [
      [onConnect, onConnect],
      [onPolka, onPolka.handler],
    ] as const) {
      const { url, close } = await serve(listener as RequestListener);
      context.after(close);
      assert.equal(await nameOf(url, (await loginAs(app, 'ada')).header), 'ada');
    }
  });

  it('says so where an application has several sessions', async () => {
    const app = express().use(onExpress.session({ secret }), onExpress.session({ secret, name: 'admin' }));
    await assert.rejects(loginAs(app, 'ada'), { code: 'ERR_OPTION_INVALID', message: /several sessions/ });
  });

  for (const [what, data] of Object.entries({
    'that the session holds besides': { theme: 'dark' },
    'that bears the name of a method': { login: 'at noon' },
  })) {
    it(`with data ${what}`, async context => {
      const remember = onExpress.session<Record<string, unknown>>({ secret });
      const app = express()
        .use(remember)
        .get('/', (req, res) => void res.json([req.session.about.userId, { ...remember.of(req) }]));
      const { url, close } = await serve(app);
      context.after(close);
      const { header } = await loginAs(remember, 'ada', { data });
      assert.deepEqual(await nameOf(url, header), ['ada', data]);
    });
  }

  it('says what it wants where it is given an application without sessions, or nothing', async () => {
    for (const wrong of [express(), undefined, {}] as never[]) {
      await assert.rejects(loginAs(wrong, 'ada'), { code: 'ERR_OPTION_INVALID', message: /what session\(\) or/ });
    }
  });

  it('plain Node', async context => {
    const remember = onNode.session({ secret });
    const listener = remember.withSession((req, res) => res.end(JSON.stringify(req.session.about.userId)));
    const { url, close } = await serveOn(createServer(listener));
    context.after(close);
    assert.equal(await nameOf(url, (await loginAs(remember, 'ada')).header), 'ada');
    assert.equal(await nameOf(url), null);
  });

  it('Koa', async context => {
    const remember = onKoa.session({ secret });
    const app = new Koa<Koa.DefaultState, onKoa.SessionContext>();
    app.use(remember).use(ctx => {
      ctx.body = JSON.stringify(ctx.session.about.userId);
    });
    const { url, close } = await serve(app.callback());
    context.after(close);
    for (const owner of [remember, app]) assert.equal(await nameOf(url, (await loginAs(owner, 'ada')).header), 'ada');
    assert.equal(await nameOf(url), null);
  });

  it('Fastify, by app.inject, once the application is ready', async () => {
    const app = Fastify();
    app.register(onFastify.session, { secret });
    app.get('/', async asked => ({ user: asked.session.about.userId }));
    await app.ready();
    const { name, value } = await loginAs(app, 'ada');
    assert.deepEqual((await app.inject({ url: '/', cookies: { [name]: value } })).json(), { user: 'ada' });
    assert.deepEqual((await app.inject('/')).json(), { user: null });
    await app.close();
  });

  it('Hono, by app.request', async () => {
    const remember = onHono.session({ secret });
    const app = new Hono<{ Variables: onHono.SessionVariables }>();
    app.use(remember).get('/', c => c.json(c.var.session.about.userId));
    for (const owner of [remember, app]) {
      const { header } = await loginAs(owner, 'ada');
      assert.equal(await (await app.request('/', { headers: { cookie: header } })).json(), 'ada');
    }
    assert.equal(await (await app.request('/')).json(), null);
  });

  it('Fetch, by calling the handler', async () => {
    const remember = onFetch.session({ secret });
    const handler = remember.withSession((asked: Request) => Response.json(remember.of(asked).about.userId));
    const { header } = await loginAs(remember, 'ada');
    const ask = async (headers: Record<string, string>) =>
      (await handler(new Request('http://app.example/', { headers }))).json() as Promise<unknown>;
    assert.equal(await ask({ cookie: header }), 'ada');
    assert.equal(await ask({}), null);
  });

  it('over https the cookie has its other name, and is no cookie over http', async () => {
    const remember = onFetch.session({ secret });
    const handler = remember.withSession((asked: Request) => Response.json(remember.of(asked).about.userId));
    const cookie = await loginAs(remember, 'ada', { secure: true });
    assert.equal(cookie.name, '__Host-session');
    const ask = async (url: string) =>
      (await handler(new Request(url, { headers: { cookie: cookie.header } }))).json() as Promise<unknown>;
    assert.equal(await ask('https://app.example/'), 'ada');
    assert.equal(await ask('http://app.example/'), null);
  });

  it('a cookie that is only set over https is an error that says so', async () => {
    const remember = onNode.session({ secret, cookie: { secure: true } });
    await assert.rejects(loginAs(remember, 'ada'), { code: 'ERR_OPTION_CONFLICT', message: /secure: true/ });
    assert.equal((await loginAs(remember, 'ada', { secure: true })).name, '__Host-session');
  });

  it('two who are logged in do not meet', async context => {
    const remember = onNode.session({ secret });
    const { url, close } = await serve(
      remember.withSession((req, res) => res.end(JSON.stringify(req.session.about.userId))),
    );
    context.after(close);
    const cookies = await Promise.all(['ada', 'bob', 'ada'].map(user => loginAs(remember, user)));
    assert.deepEqual(await Promise.all(cookies.map(({ header }) => nameOf(url, header))), ['ada', 'bob', 'ada']);
    assert.equal((await remember.sessions.list('ada')).length, 2);
  });
});
