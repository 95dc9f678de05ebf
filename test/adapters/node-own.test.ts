// What is plain Node's alone: https, proxies by number, HTTP/2 pushes, errors without an error handler.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { memoryStore } from 'madeleine/memory';
import { type NodeSessions, session } from 'madeleine/node';
import { faultStore } from 'madeleine/testing';
import { cert, key } from '../support/certificate.ts';
import { Client, request } from '../support/client.ts';
import { gateway } from '../support/gateway.ts';
import { HTTP2_ABORTS } from '../support/http2.ts';
import { serve, serveOn } from '../support/serve.ts';

const secret = 'a secret of more than thirty-two bytes';
const failingStore = () => faultStore(memoryStore(), () => ({ kind: 'fail' }));
const visits = (sessions: NodeSessions) =>
  sessions.withSession((req, res) => {
    req.session.visits = (req.session.visits ?? 0) + 1;
    res.end(String(req.session.visits));
  });

describe('node: https and proxies', () => {
  it('over https the cookie is Secure and __Host-', async () => {
    const served = await serveOn(https.createServer({ key, cert }, visits(session({ secret }))), 'https');
    const [answer] = await once(https.get(served.url, { agent: false, rejectUnauthorized: false }), 'response');
    assert.match(answer.headers['set-cookie'][0], /^__Host-session=[^;]+; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
    await served.close();
  });

  const cases: Array<[hops: number, proto: string | undefined, secure: boolean]> = [
    ...([0, 1, 2, 3] as const).map(hops => [hops, undefined, false] as [number, undefined, boolean]),
    [0, 'https', false],
    [1, 'https', true],
    [1, 'HTTPS', true],
    [1, 'https, http', false], // the client wrote the first
    [1, 'http, https', true],
    [2, 'https, http', true],
    [2, 'https, http, http', false],
    [3, 'https, http, http', true],
    [3, 'https', true], // the outermost proxy replaced the field, the others left it alone
  ];
  for (const [hops, proto, secure] of cases) {
    it(`behind ${hops} proxies, X-Forwarded-Proto "${proto}" is ${secure ? 'https' : 'http'}`, async () => {
      const served = await serve(visits(session({ secret, trustProxy: hops })));
      const { setCookies } = await request(served.url, { headers: proto ? { 'x-forwarded-proto': proto } : {} });
      assert.equal(setCookies[0]?.startsWith('__Host-session='), secure);
      await served.close();
    });
  }

  it('the address is the one that the outermost trusted proxy saw, never what a client writes', async () => {
    const chain = '6.6.6.6, 203.0.113.9, 10.0.0.2';
    for (const [hops, address] of [
      [0, '127.0.0.1'],
      [1, '10.0.0.2'],
      [2, '203.0.113.9'],
    ] as const) {
      const sessions = session({ secret, trustProxy: hops });
      const served = await serve(
        sessions.withSession(async (req, res) => {
          await req.session.login('ada');
          res.end();
        }),
      );
      await request(served.url, { headers: { 'x-forwarded-for': chain } });
      assert.equal((await sessions.sessions.list('ada'))[0]?.device?.address, address);
      await served.close();
    }
  });

  it('trustProxy takes a number of proxies and nothing else', () => {
    for (const wrong of [true, -1, 1.5, 'loopback', Number.NaN]) {
      assert.throws(() => session({ secret, trustProxy: wrong as number }), { code: 'ERR_OPTION_INVALID' });
    }
  });
});

it('node: requests whose list of header fields is another one each time, as those of node-mock-http are, have a session', async () => {
  const listener = visits(session({ secret }));
  const served = await serve((req, res) => {
    const { rawHeaders } = req;
    Object.defineProperty(req, 'rawHeaders', { get: () => [...rawHeaders] });
    listener(req, res);
  });
  const client = new Client(served.url);
  for (const count of ['1', '2']) assert.equal((await client.get('/')).body, count);
  await served.close();
});

describe('node: errors', () => {
  it('a store that fails is answered barely, and sessions hear of it', async () => {
    for (const failing of ['read', 'create']) {
      const store = faultStore(memoryStore());
      const sessions = session({ secret, store });
      const served = await serve(visits(sessions));
      const client = new Client(served.url);
      await client.get('/');
      if (failing === 'create') client.jar.clear();
      store.plan(({ operation }) => (operation === failing ? { kind: 'fail' } : null));
      const heard = new Promise(resolve => sessions.sessions.on('failed', resolve));
      const answer = await client.get('/');
      assert.deepEqual([answer.status, answer.body], [503, 'Service Unavailable\n']);
      assert.equal(((await heard) as { error: { code: string } }).error.code, 'ERR_STORE_FAILED');
      await served.close();
    }
  });

  // h3 does it, and many a middleware that is called in an API route of Next.js.
  it('who makes a promise of next() hears its first call alone: a save that fails is answered barely in the end', async context => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const store = faultStore(memoryStore(), ({ operation }) => (operation === 'create' ? { kind: 'fail' } : null));
    const remember = session({ secret, store });
    const heard: unknown[] = [];
    remember.sessions.on('failed', ({ error }) => heard.push((error as { code: string }).code));
    let told = (_answer: () => void) => {};
    const served = await serve(async (req, res) => {
      let calls = 0;
      await new Promise<void>(resolve => {
        remember(req, res, () => {
          calls++;
          if (calls === 2) told(() => req.url === '/slow' && res.writeHead(500).end('of the application'));
          resolve();
        });
      });
      remember.of(req).visits = 1;
      res.setHeader('Location', '/').end('ok');
    });
    context.after(served.close);
    const fail = async (path: string, time: number) => {
      const telling = new Promise<() => void>(resolve => {
        told = resolve;
      });
      const answering = request(served.url + path);
      const answer = await telling;
      await setImmediate();
      context.mock.timers.tick(time);
      answer();
      const { status, body, headers } = await answering;
      return [status, body, headers.location];
    };
    assert.deepEqual(await fail('/slow', 4_999), [500, 'of the application', undefined]);
    assert.deepEqual(heard, []);
    assert.deepEqual(await fail('/lost', 5_000), [503, 'Service Unavailable\n', undefined]);
    assert.deepEqual(heard, ['ERR_STORE_FAILED']);
  });

  it('a handler that goes on writing after its session could not be saved hears that each chunk is done with', async context => {
    const sessions = session({ secret, store: failingStore() });
    const done = gateway<unknown[]>();
    const served = await serve(
      sessions.withSession((req, res) => {
        req.session.visits = 1;
        sessions.sessions.on('failed', () => res.write('second', (...told) => res.end('last', () => done.open(told))));
        res.write('first');
      }),
    );
    context.after(served.close);
    assert.equal((await request(served.url)).body, 'Service Unavailable\n');
    assert.deepEqual(await done.opened, []);
  });

  it('of() without a session says which line to move', async () => {
    const sessions = session({ secret });
    const served = await serve((req, res) => {
      assert.throws(() => sessions.of(req), /above the line .*node-own\.test\.js:\d+:\d+.*ERR_SESSION_MISSING/);
      res.end();
    });
    await request(served.url);
    await served.close();
  });
});

it('B14 node: fields given to writeHead that are there already, as res.getHeaders() gives them, are not sent twice', async () => {
  const sessions = session({ secret });
  const served = await serve(
    sessions.withSession((req, res) => {
      req.session.visits = 1;
      res.setHeader('Set-Cookie', ['a=1', 'b=2; Path=/x']);
      if (req.url === '/copy') res.writeHead(200, res.getHeaders());
      else res.writeHead(200, ['Set-Cookie', 'a=1', 'set-cookie', 'b=2; Path=/y', 'Set-Cookie', 'c=3']);
      res.end();
    }),
  );
  const own = async (path: string) => (await request(served.url + path)).setCookies.slice(0, -1);
  assert.deepEqual(await own('/copy'), ['a=1', 'b=2; Path=/x']);
  assert.deepEqual(await own('/more'), ['a=1', 'b=2; Path=/x', 'b=2; Path=/y', 'c=3']);
  await served.close();
});

describe('node: several requests at once on a connection of HTTP/1.1', () => {
  it('a client that goes away takes the writes of none of them with it', async context => {
    const arrived = gateway();
    const served = await serve(
      session({ secret }).withSession((req, res) => {
        if (req.url === '/begin') req.session.theme = 'dark';
        if (req.url === '/visit') req.session.visits = 7;
        if (req.url === '/visit') return arrived.open();
        if (req.url !== '/slow') res.end(String(req.session.visits));
      }),
    );
    context.after(served.close);
    const client = new Client(served.url);
    await client.get('/begin');
    const socket = net.connect(served.port, '127.0.0.1');
    const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nCookie: ${client.cookieHeader()}\r\n\r\n`;
    socket.write(ask('/slow') + ask('/visit'));
    await arrived.opened;
    socket.destroy();
    for (let tries = 0; (await client.get('/')).body !== '7'; tries++) assert.ok(tries < 200, 'the write was lost');
  });
});

describe('node: HTTP/2', { skip: HTTP2_ABORTS }, () => {
  it('a pushed response is nobody’s session, and goes out as it is', async () => {
    const sessions = session({ secret });
    const served = await serveOn(
      http2.createServer(
        sessions.withSession((req, res) => {
          req.session.visits = 1;
          res.createPushResponse({ ':path': '/style.css' }, (error, pushed) => {
            assert.equal(error, null);
            pushed.end('pushed');
            res.end('page');
          });
        }),
      ),
    );
    const connection = http2.connect(served.url);
    const pushed = once(connection, 'stream').then(async ([stream]) => {
      const [headers] = await once(stream, 'push');
      let body = '';
      for await (const chunk of stream) body += chunk;
      return [body, headers['set-cookie']];
    });
    const stream = connection.request({ ':path': '/' });
    const [headers] = await once(stream, 'response');
    assert.equal(headers['set-cookie'].length, 1);
    stream.resume();
    assert.deepEqual(await pushed, ['pushed', undefined]);
    connection.close();
    await served.close();
  });

  it('many streams share a connection: one that goes away is noticed, and its write is kept', async () => {
    const arrived = gateway();
    const served = await serveOn(
      http2.createServer(
        session({ secret }).withSession((req, res) => {
          if (req.url === '/begin') req.session.theme = 'dark';
          if (req.url !== '/slow') return res.end(String(req.session.visits));
          req.session.visits = 7;
          return arrived.open();
        }),
      ),
    );
    const client = new Client(served.url, 'http2');
    await client.get('/begin');
    const connection = http2.connect(served.url);
    const ask = (path: string) => connection.request({ ':path': path, cookie: client.cookieHeader() });
    await once(ask('/first').resume(), 'close');
    const slow = ask('/slow');
    await arrived.opened;
    slow.close(http2.constants.NGHTTP2_CANCEL);
    for (let tries = 0; (await client.get('/')).body !== '7'; tries++) assert.ok(tries < 200, 'the write was lost');
    connection.destroy();
    await served.close();
  });

  it('a stream whose last save fails is broken off, and not taken for a whole one', async context => {
    const store = faultStore(memoryStore(), ({ operation }) => (operation === 'replace' ? { kind: 'fail' } : null));
    const served = await serveOn(
      http2.createServer(
        session({ secret, store }).withSession((req, res) => {
          req.session.visits = 1;
          res.write('first', 'utf8', () => {
            req.session.visits = 2;
            res.end('last');
          });
        }),
      ),
    );
    const connection = http2.connect(served.url);
    context.after(() => connection.destroy());
    context.after(served.close);
    const stream = connection.request({ ':path': '/' }).resume();
    await assert.rejects(once(stream, 'end'), { code: 'ERR_HTTP2_STREAM_ERROR' });
  });

  it('an error in place of a response may have trailers of its own', async () => {
    const sessions = session({ secret, store: failingStore() });
    const served = await serveOn(
      http2.createServer((req, res) =>
        sessions(req, res, error => {
          if (error) {
            // Any case, and spaces around: one name, as Node has it.
            res.addTrailers({ ' X-Error ': '1' });
            res.addTrailers({ 'x-error': '2' });
            assert.throws(() => res.addTrailers({ 'X-None': undefined as never }), {
              code: 'ERR_HTTP2_INVALID_HEADER_VALUE',
            });
            return res.end('error');
          }
          sessions.of(req).visits = 1;
          res.addTrailers({ 'X-Sum': '4' });
          return res.end('body');
        }),
      ),
    );
    const { body, trailers } = await request(served.url, { protocol: 'http2' });
    assert.deepEqual([body, Object.entries(trailers)], ['error', [['x-error', '2']]]);
    await served.close();
  });

  it('an error that has ended takes no trailers of the handler that goes on', async () => {
    const sessions = session({ secret, store: failingStore() });
    const served = await serveOn(
      http2.createServer(
        sessions.withSession((req, res) => {
          req.session.visits = 1;
          sessions.sessions.on('failed', () => res.addTrailers({ 'X-Sum': '4' }));
          res.write('body');
        }),
      ),
    );
    const { status, trailers } = await request(served.url, { protocol: 'http2' });
    assert.deepEqual({ status, trailers }, { status: 503, trailers: {} });
    await served.close();
  });
});
