// What pages of other sites may not do: the guard against cross-site request forgery, on each adapter, and all that it decides.
import assert from 'node:assert/strict';
import http2, { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { getRequestListener } from '@hono/node-server';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import * as onExpress from 'madeleine/express';
import * as onFastify from 'madeleine/fastify';
import * as onFetch from 'madeleine/fetch';
import * as onHono from 'madeleine/hono';
import * as onKoa from 'madeleine/koa';
import { memoryStore } from 'madeleine/memory';
import * as onNode from 'madeleine/node';
import { type FaultStore, faultStore } from 'madeleine/testing';
import { request } from '../support/client.ts';
import { type Served, serve, serveOn } from '../support/serve.ts';
import { warningsIn } from '../support/warnings.ts';

const trusting = { trustedOrigins: ['https://app.example'] };
const sessionOn = (store: FaultStore) => ({ secret: 'a secret of more than thirty-two bytes', store });

/** Each serves one page, which begins a session, below the guard. */
const ADAPTERS: Record<string, (store: FaultStore) => Promise<Served>> = {
  Express(store) {
    const app = express();
    app.use(onExpress.requireSameOrigin(trusting), onExpress.session(sessionOn(store)));
    app.all('/', (req, res) => {
      Object.assign(req.session, { reached: true });
      res.send('reached');
    });
    return serve(app);
  },
  'node:http'(store) {
    const guard = onNode.requireSameOrigin(trusting);
    const inSession = onNode.session(sessionOn(store)).withSession((req, res) => {
      Object.assign(req.session, { reached: true });
      res.end('reached');
    });
    return serve((req, res) => guard(req, res, () => inSession(req, res)));
  },
  Koa(store) {
    const app = new Koa<Koa.DefaultState, onKoa.SessionContext>();
    app.use(onKoa.requireSameOrigin(trusting));
    app.use(onKoa.session(sessionOn(store)));
    app.use(ctx => {
      Object.assign(ctx.session, { reached: true });
      ctx.body = 'reached';
    });
    return serve(app.callback());
  },
  async Fastify(store) {
    const app = Fastify();
    app.addHook('onRequest', onFastify.requireSameOrigin(trusting));
    await app.register(onFastify.session, sessionOn(store));
    app.all('/', async req => {
      Object.assign(req.session, { reached: true });
      return 'reached';
    });
    await app.ready();
    return serve((req, res) => app.routing(req, res));
  },
  Hono(store) {
    const app = new Hono<{ Variables: onHono.SessionVariables }>();
    app.use(onHono.requireSameOrigin(trusting), onHono.session(sessionOn(store)));
    app.all('/', c => {
      Object.assign(c.var.session, { reached: true });
      return c.text('reached');
    });
    return serve(getRequestListener(app.fetch));
  },
  Fetch(store) {
    const { withSession, of } = onFetch.session(sessionOn(store));
    const handler = withSession((asked: Request) => {
      Object.assign(of(asked), { reached: true });
      return new Response('reached');
    });
    return serve(getRequestListener(onFetch.requireSameOrigin(trusting)(handler)));
  },
};

for (const [adapter, open] of Object.entries(ADAPTERS)) {
  describe(`requireSameOrigin on ${adapter}`, () => {
    it('refuses what a page of another site sends, before anybody asks the store, and lets the rest pass', async t => {
      const store = faultStore(memoryStore());
      const served = await open(store);
      t.after(() => served.close());
      const post = (headers: Record<string, string>) => request(served.url, { method: 'POST', headers });

      const refused = await post({
        'sec-fetch-site': 'cross-site',
        origin: 'https://evil.example',
        cookie: 'session=x',
      });
      assert.deepEqual([refused.status, refused.json()], [403, { error: 'cross-site' }]);
      assert.equal(refused.headers['cache-control'], 'no-store');
      for (const field of ['Sec-Fetch-Site', 'Origin', 'Accept'])
        assert.match(String(refused.headers.vary), RegExp(`(^|, )${field}(,|$)`));
      assert.deepEqual([refused.setCookies, store.calls.length], [[], 0]);
      const page = await post({ 'sec-fetch-site': 'cross-site', accept: 'text/html' });
      assert.deepEqual([page.status, page.body], [403, 'Forbidden\n']);
      assert.equal(page.headers['content-type'], 'text/plain; charset=utf-8');

      const own = await post({ 'sec-fetch-site': 'same-origin', origin: served.url });
      assert.deepEqual([own.status, own.body, own.setCookies.length], [200, 'reached', 1]);
      const ofOld = await post({ origin: served.url });
      assert.deepEqual([ofOld.status, ofOld.body], [200, 'reached']);
      const friend = await post({ 'sec-fetch-site': 'cross-site', origin: 'https://app.example' });
      assert.deepEqual([friend.status, friend.body], [200, 'reached']);
      const link = await request(served.url, { headers: { 'sec-fetch-site': 'cross-site' } });
      assert.deepEqual([link.status, link.body], [200, 'reached']);

      // Browsers let every page open a WebSocket, with the visitor's cookies, by a GET without Sec-Fetch-Site.
      const handshake = async (origin?: string) => {
        const headers = { connection: 'Upgrade', upgrade: 'WebSocket', ...(origin && { origin }) };
        return (await request(served.url, { headers })).status;
      };
      assert.equal(await handshake('https://evil.example'), 403);
      for (const origin of [served.url, 'https://app.example', undefined]) assert.equal(await handshake(origin), 200);
    });
  });
}

type Pass = { method: string; site?: string; origin?: string; host?: string; type?: string };

/** Go's table, in its order, in other words than the code's. */
function mayPass({ method, site, origin, host }: Pass): boolean {
  if (['GET', 'HEAD', 'OPTIONS'].includes(method)) return true;
  const named = origin === 'https://app.example';
  if (site === 'same-origin' || site === 'none') return true;
  if (site) return named;
  if (!origin) return true;
  return named || `http://${host}` === origin || `https://${host}` === origin;
}

const HOSTS = ['shop.example', 'shop.example:8080'];
const SITES = [
  undefined,
  '',
  'same-origin',
  'none',
  'same-site',
  'cross-site',
  'Same-Origin',
  'cross-site, same-origin',
];
const ORIGINS = [
  ...[undefined, '', 'null', 'https://shop.example', 'http://shop.example', 'http://shop.example:8080'],
  ...['https://app.example', 'https://app.example.evil.example', 'https://app.example/', 'HTTPS://app.example'],
  ...['https://evil.example', 'https://shop.example@evil.example', 'shop.example', 'https://SHOP.example'],
];

const matrix = (methods: readonly string[]): Pass[] =>
  methods.flatMap(method =>
    SITES.flatMap(site =>
      ORIGINS.flatMap(origin =>
        HOSTS.map(host => ({
          method,
          host,
          ...(site === undefined ? {} : { site }),
          ...(origin === undefined ? {} : { origin }),
        })),
      ),
    ),
  );

const fieldsOf = ({ site, origin, host, type }: Pass) => ({
  ...(host === undefined ? {} : { host }),
  ...(site === undefined ? {} : { 'sec-fetch-site': site }),
  ...(origin === undefined ? {} : { origin }),
  ...(type === undefined ? {} : { 'content-type': type }),
});

describe('what requireSameOrigin decides', () => {
  it('is what the table says, whatever method and fields come together', async () => {
    const handler = onFetch.requireSameOrigin(trusting)(() => new Response('reached'));
    const cases = matrix(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'BREW', 'patch']);
    for (const one of cases) {
      const asked = new Request('https://ignored.example/', { method: one.method, headers: fieldsOf(one) });
      // Bun makes GET of a method that it does not know.
      if (asked.method !== one.method) continue;
      const { status } = await handler(asked);
      assert.equal(status, mayPass(one) ? 200 : 403, JSON.stringify(one));
    }
    assert.equal(new Set(cases.map(mayPass)).size, 2);
  });

  it('is the same over a socket, whatever type the body has and whatever method a field asks for', async t => {
    const guard = onNode.requireSameOrigin(trusting);
    const served = await serve((req, res) => guard(req, res, () => res.end('reached')));
    t.after(() => served.close());
    for (const one of matrix(['GET', 'POST', 'TRACE']).filter(({ host }) => host === 'shop.example')) {
      const { status } = await request(served.url, { method: one.method, headers: fieldsOf(one) });
      assert.equal(status, mayPass(one) ? 200 : 403, JSON.stringify(one));
    }
    const foreign = { origin: 'https://evil.example', 'x-http-method-override': 'GET' };
    for (const type of [
      'text/plain',
      'APPLICATION/JSON',
      'application/x-www-form-urlencoded; a=b',
      '',
      'text/plain\t',
    ]) {
      const headers = { ...foreign, 'content-type': type };
      assert.equal((await request(served.url, { method: 'POST', headers })).status, 403, type);
    }
  });

  it('knows its own host in every form that one can have', async () => {
    const handler = onFetch.requireSameOrigin()(() => new Response('reached'));
    for (const host of [
      ...['shop-1.my_lan.example', 'SHOP.example', '192.0.2.10:80'],
      ...['[2001:db8::10]', '[2001:db8::10]:8443', '[::ffff:192.0.2.10]', '[FE80::1]'],
    ]) {
      const post = (origin: string) =>
        handler(new Request('https://ignored.example/', { method: 'POST', headers: { host, origin } }));
      const said = [(await post(`https://${host}`)).status, (await post(`https://${host}.evil.example`)).status];
      assert.deepEqual(said, [200, 403], host);
    }
  });

  it('is told by its URL the host of a Fetch request that came over no network', async () => {
    const handler = onFetch.requireSameOrigin()(() => new Response('reached'));
    const post = async (origin: string) =>
      (await handler(new Request('https://shop.example:8443/', { method: 'POST', headers: { origin } }))).status;
    assert.deepEqual([await post('https://shop.example:8443'), await post('https://shop.example')], [200, 403]);
  });

  it('takes no page for its own where the request names no host', async t => {
    const guard = onNode.requireSameOrigin();
    const served = await serve((req, res) => guard(req, res, () => res.end('reached')));
    t.after(() => served.close());
    const socket = connect(Number(new URL(served.url).port), '127.0.0.1');
    socket.end('POST / HTTP/1.0\r\nOrigin: http://undefined\r\nContent-Length: 0\r\n\r\n');
    assert.match(await text(socket), /^HTTP\/1\.1 403 /);
  });

  it('takes no forged host for its own', async t => {
    const guard = onNode.requireSameOrigin();
    const served = await serve((req, res) => guard(req, res, () => res.end('reached')));
    t.after(() => served.close());
    for (const host of ['evil.example:x@shop.example', 'shop.example/evil.example', '']) {
      const headers = { host, origin: `https://${host}`, 'x-forwarded-host': 'evil.example' };
      assert.notEqual((await request(served.url, { method: 'POST', headers })).status, 200, host);
    }
    const headers = { host: 'shop.example', origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' };
    assert.equal((await request(served.url, { method: 'POST', headers })).status, 403);
  });

  it('knows the host of HTTP/2', async t => {
    const guard = onNode.requireSameOrigin();
    const listener = (req: Http2ServerRequest, res: Http2ServerResponse) => guard(req, res, () => res.end('reached'));
    const served = await serveOn(http2.createServer(listener));
    t.after(() => served.close());
    const post = (origin: string) => request(served.url, { protocol: 'http2', method: 'POST', headers: { origin } });
    assert.deepEqual([(await post(served.url)).status, (await post('http://evil.example')).status], [200, 403]);
    // RFC 9113 section 8.3.1: beside :authority, a Host field says nothing of where the request goes.
    const both = { ':authority': new URL(served.url).host, host: 'evil.example' };
    const headers = { ...both, origin: 'http://evil.example' };
    assert.equal((await request(served.url, { protocol: 'http2', method: 'POST', headers })).status, 403);
    const beside = { ...both, origin: served.url };
    assert.equal((await request(served.url, { protocol: 'http2', method: 'POST', headers: beside })).status, 200);
  });

  it('refuses wrong options when it is made', () => {
    for (const origin of [
      'https://app.example/',
      'app.example',
      'https://*.example',
      'https://[',
      'wss://app.example',
      'null',
      'https://app.example/a',
      '',
      1,
      new URL('https://app.example'),
    ]) {
      assert.throws(() => onExpress.requireSameOrigin({ trustedOrigins: [origin as string] }), {
        code: 'ERR_OPTION_INVALID',
        message: /"trustedOrigins".*Give a list of scheme and host/,
      });
    }
    assert.throws(() => onExpress.requireSameOrigin({ trustedOrigins: 'https://a.example' as never }), {
      code: 'ERR_OPTION_INVALID',
    });
    assert.throws(() => onExpress.requireSameOrigin({ origins: [] } as object), { code: 'ERR_OPTION_UNKNOWN' });
  });

  it('tells the developer once, with what the client said made harmless', async t => {
    const guard = onNode.requireSameOrigin();
    const served = await serve((req, res) => guard(req, res, () => res.end('reached')));
    t.after(() => served.close());
    const warnings = warningsIn(t);
    const headers = { origin: `https://\u009b31m\u009b${'e'.repeat(1000)}.example` };
    for (let i = 0; i < 2; i++) await request(served.url, { method: 'POST', headers });
    assert.deepEqual(
      warnings.map(warning => warning.code),
      ['MADELEINE_CROSS_SITE'],
    );
    const { message = '' } = warnings[0] ?? {};
    assert.match(message, /trustedOrigins/);
    // Cut after a hundred characters; "none" is a value that Sec-Fetch-Site can have.
    const said = `(Origin: https://?31m?${'e'.repeat(87)}, Host: 127.0.0.1:${served.port}, Sec-Fetch-Site: not sent)`;
    assert.ok(message.includes(said), message);
    assert.doesNotMatch(message, /\p{Cc}/u);
  });
});
