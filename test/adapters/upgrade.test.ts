// Handshakes of WebSockets: ws and socket.io, with real clients.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import express from 'express';
import { Hono } from 'hono';
import { type ExpressSessionOptions, session } from 'madeleine/express';
import { session as honoSession } from 'madeleine/hono';
import { memoryStore } from 'madeleine/memory';
import { sealedCookieStore } from 'madeleine/sealed-cookie';
import { createTestClock, faultStore, loginAs } from 'madeleine/testing';
import { type UpgradeOptions, type Upgrades, upgrades } from 'madeleine/upgrade';
import { Server as SocketServer } from 'socket.io';
import { io } from 'socket.io-client';
import { WebSocket, WebSocketServer } from 'ws';
import { Client } from '../support/client.ts';
import { gateway } from '../support/gateway.ts';
import { serveOn } from '../support/serve.ts';
import { warningsIn } from '../support/warnings.ts';

const secret = 'a secret of more than thirty-two bytes';
type OnConnection = (upgraded: Upgrades, socket: WebSocket, request: http.IncomingMessage) => void;

/** An Express app and a WebSocket server beside it. */
async function serveBoth(
  onConnection: OnConnection,
  options: Partial<ExpressSessionOptions> = {},
  upgradeOptions: UpgradeOptions = {},
) {
  const app = express();
  const remember = session({ secret, ...options });
  app.use(remember);
  app.get('/login/:user', async (req, res) => {
    await req.session.login(req.params['user'] as string);
    res.end();
  });
  app.get('/rotate', async (req, res) => {
    await req.session.rotate();
    res.end();
  });
  app.get('/logout', async (req, res) => {
    await req.session.logout();
    res.end();
  });
  app.get('/data', (req, res) => void res.json({ ...req.session }));
  const upgraded = upgrades(remember.sessions, upgradeOptions);
  const sockets = new WebSocketServer({ noServer: true });
  const server = http.createServer(app);
  const listener = (request: http.IncomingMessage, socket: Duplex, head: Buffer) =>
    sockets.handleUpgrade(request, socket, head, ws => sockets.emit('connection', ws, request));
  server.on('upgrade', upgraded.withSession(listener));
  sockets.on('connection', (ws, request) => onConnection(upgraded, ws, request));
  const served = await serveOn(server);
  return { ...served, app, remember, upgraded, server, client: new Client(served.url) };
}

type Both = Awaited<ReturnType<typeof serveBoth>>;

const connect = ({ url, client }: Both, headers: Record<string, string> = {}): WebSocket =>
  new WebSocket(url.replace('http', 'ws'), { headers: { cookie: client.cookieHeader(), ...headers } });

/** What the first message says, or the status of a refusal. */
async function answerOf(socket: WebSocket): Promise<string | number> {
  return new Promise((resolve, reject) => {
    socket.once('message', data => {
      socket.close();
      resolve(String(data));
    });
    socket.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    socket.once('error', reject);
  });
}

const greet: OnConnection = ({ of }, socket, request) => socket.send(`Hello ${of(request).about.userId}`);

describe('ws', () => {
  it('the session is there at the handshake, with stores that answer at once and late', async () => {
    for (const store of [memoryStore(), faultStore(memoryStore(), () => ({ kind: 'delay', time: 10 }))]) {
      const both = await serveBoth(greet, { store });
      assert.equal(await answerOf(connect(both)), 'Hello null');
      await both.client.get('/login/ada');
      assert.equal(await answerOf(connect(both)), 'Hello ada');
      await both.close();
    }
  });

  it('pages of this host and of trusted origins may connect, and no others; no session is read for them', async () => {
    const store = faultStore(memoryStore());
    const both = await serveBoth(greet, { store }, { trustedOrigins: ['https://app.example'] });
    await both.client.get('/login/ada');
    const host = `127.0.0.1:${both.port}`;
    for (const origin of [`http://${host}`, `https://${host}`, 'https://app.example']) {
      assert.equal(await answerOf(connect(both, { origin })), 'Hello ada', origin);
    }
    assert.equal(await answerOf(connect(both, { 'sec-fetch-site': 'same-origin' })), 'Hello ada');
    store.plan(({ operation }) => {
      assert.notEqual(operation, 'read');
      return null;
    });
    const foreign = [
      ...['https://evil.example', 'null', `http://127.0.0.1:${both.port + 1}`, 'http://127.0.0.1'],
      ...[`http://${host}/`, `http://${host}.evil.example`, `ftp://${host}`, `http://evil@${host}`, host],
      ...['https://app.example.evil.example', 'https://app.example/', 'http://app.example', 'HTTPS://APP.EXAMPLE'],
    ];
    for (const origin of foreign) assert.equal(await answerOf(connect(both, { origin })), 403, origin);
    for (const site of ['cross-site', 'same-site']) {
      assert.equal(await answerOf(connect(both, { 'sec-fetch-site': site })), 403, site);
    }
    const forged = { host: 'evil.example:x@good.example', origin: 'http://evil.example:x@good.example' };
    assert.equal(await answerOf(connect(both, forged)), 403, 'a Host that is none');
    const forwarded = { origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' };
    assert.equal(await answerOf(connect(both, forwarded)), 403, 'X-Forwarded-Host');
    await both.close();
  });

  it('a refused connection is over, also where the client keeps its side open', { timeout: 20_000 }, async context => {
    const both = await serveBoth(greet);
    context.after(both.close);
    const accepted = once(both.server, 'connection');
    const client = net.connect({ port: both.port, host: '127.0.0.1', allowHalfOpen: true });
    context.after(() => client.destroy());
    client.write(
      'GET / HTTP/1.1\r\nHost: here\r\nOrigin: https://evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    );
    const [socket] = await accepted;
    const closed = once(socket, 'close');
    const [answer] = await once(client, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 403 Forbidden\r\n/);
    await closed;
  });

  it('a trusted origin has to be one as browsers write it', () => {
    const { sessions } = session({ secret });
    for (const origin of [
      ...['app.example', 'https://app.example/', 'https://app.example/path', 'https://*.example', 'null', ''],
      ...['https://app.example?x', 'https://app.example#x', 'https://App.example', 'https://app.example:443'],
      ...['//app.example', 'https://user@app.example'],
    ]) {
      assert.throws(() => upgrades(sessions, { trustedOrigins: [origin] }), { code: 'ERR_OPTION_INVALID' }, origin);
    }
    upgrades(sessions, { trustedOrigins: ['https://app.example:8443', 'http://localhost:3000', 'http://[::1]:3000'] });
    assert.throws(() => upgrades(sessions, { origins: [] } as object), { code: 'ERR_OPTION_UNKNOWN' });
    assert.throws(() => upgrades(sessions, { trustProxy: -1 }), { code: 'ERR_OPTION_INVALID' });
  });

  it('what has no sessions is refused at once, and not with the first handshake', () => {
    const remember = session({ secret });
    for (const given of [undefined, null, {}, express(), remember] as never[]) {
      assert.throws(() => upgrades(given), {
        code: 'ERR_OPTION_INVALID',
        message: /upgrades\(sessionMiddleware\.sessions\)/,
      });
    }
  });

  it('a listener that is none is refused at once, and not when it is due', async context => {
    const refused: unknown[] = [];
    const both = await serveBoth(({ onEnd }, socket, request) => {
      try {
        onEnd(request, undefined as never);
      } catch (error) {
        refused.push((error as { code: string }).code);
      }
      socket.send('checked');
    });
    context.after(both.close);
    await both.client.get('/login/ada');
    assert.equal(await answerOf(connect(both)), 'checked');
    assert.deepEqual(refused, ['ERR_OPTION_INVALID']);
    assert.throws(() => both.upgraded.withSession(undefined as never), { code: 'ERR_OPTION_INVALID' });
  });

  it('saves by save() and by nothing else', async () => {
    const both = await serveBoth(async ({ of }, socket, request) => {
      const present = of(request);
      present['saved'] = true;
      await present.save();
      present['lost'] = true;
      socket.send('done');
    });
    await both.client.get('/login/ada');
    assert.equal(await answerOf(connect(both)), 'done');
    assert.deepEqual((await both.client.get('/data')).json(), { saved: true });
    await both.close();
  });

  it('what needs a cookie fails, and leaves the session as it was; logout ends it', async () => {
    const codes = async (work: Promise<unknown>[]) =>
      (await Promise.allSettled(work)).map(result => (result.status === 'rejected' ? result.reason.code : 'done'));
    const both = await serveBoth(async ({ of }, socket, request) => {
      const present = of(request);
      if (present.about.userId === null) {
        present['cart'] = ['tea'];
        const first = await codes([present.save(), present.update(data => Object.assign(data, { x: 1 }))]);
        socket.send([...first, ...(await codes([present.login('bob'), present.regenerate()]))].join());
        return;
      }
      const answers = await codes([present.login('bob'), present.rotate(), present.regenerate()]);
      socket.send([...answers, present.about.userId].join());
    });
    const none = 'ERR_NO_RESPONSE';
    assert.equal(await answerOf(connect(both)), [none, none, none, none].join());
    await both.client.get('/login/ada');
    assert.equal(await answerOf(connect(both)), [none, none, none, 'ada'].join());
    assert.equal((await both.remember.sessions.list('ada')).length, 1);
    assert.equal((await both.remember.sessions.list('bob')).length, 0);
    await both.close();

    const leaving = await serveBoth(async ({ of }, socket, request) => {
      await of(request).logout();
      socket.send('out');
    });
    await leaving.client.get('/login/ada');
    assert.equal(await answerOf(connect(leaving)), 'out');
    assert.equal((await leaving.remember.sessions.list('ada')).length, 0);
    await leaving.close();
  });

  it('what fails is told once: to whoever awaits it, else by the event', async () => {
    const told: string[] = [];
    const both = await serveBoth(async ({ of }, socket, request) => {
      const present = of(request);
      present['cart'] = ['tea'];
      try {
        await present.update(() => {});
      } catch (error) {
        told.push(`awaited ${(error as { code: string }).code}`);
      }
      void present.update(() => {});
      both.remember.sessions.on('failed', () => socket.send('done'));
    });
    both.remember.sessions.on('failed', ({ error }) => void told.push(`event ${(error as { code: string }).code}`));
    assert.equal(await answerOf(connect(both)), 'done');
    assert.deepEqual(told, ['awaited ERR_NO_RESPONSE', 'event ERR_NO_RESPONSE']);
    await both.close();
  });

  it('a store that cannot be read: 503, the event, and no connection', async () => {
    const store = faultStore(memoryStore());
    const both = await serveBoth(greet, { store });
    await both.client.get('/login/ada');
    const failed = new Promise(resolve => both.remember.sessions.on('failed', resolve));
    store.plan(({ operation }) => (operation === 'read' ? { kind: 'fail' } : null));
    assert.equal(await answerOf(connect(both)), 503);
    await failed;
    await both.close();
  });

  it('a client that goes away while its session is read disturbs nobody', async () => {
    const { store, reading, goOn } = waitingStore();
    const both = await serveBoth(greet, { store });
    await both.client.get('/login/ada');
    const handed: boolean[] = [];
    both.server.on(
      'upgrade',
      both.upgraded.withSession((_request, socket) => void handed.push(socket.destroyed)),
    );
    const connection = once(both.server, 'upgrade');
    const socket = connect(both);
    socket.on('error', () => {});
    const [, raw] = (await connection) as [unknown, net.Socket];
    await reading;
    // Not by once(), which would listen to the error as well.
    const closed = new Promise(resolve => raw.once('close', resolve));
    raw.destroy(new Error('reset'));
    await closed;
    goOn.open();
    assert.equal(await answerOf(connect(both)), 'Hello ada');
    assert.deepEqual(handed, [false], 'a socket that is gone is handed to nobody');
    await both.close();
  });

  it("with concurrency 'serialize' the turn ends with the handshake: the socket stays open, and requests are served", async context => {
    const both = await serveBoth(greet, { concurrency: 'serialize', storeTimeout: '1h' });
    context.after(both.close);
    await both.client.get('/login/ada');
    const socket = connect(both);
    await once(socket, 'message');
    assert.deepEqual((await both.client.get('/data')).json(), {});
    assert.equal(socket.readyState, WebSocket.OPEN);
    socket.close();
  });

  it('https as a trusted proxy says', async () => {
    const both = await serveBoth(greet, {}, { trustProxy: 1 });
    both.app.set('trust proxy', 1);
    const proxied = { headers: { 'x-forwarded-proto': 'https' } };
    await both.client.get('/login/ada', proxied);
    assert.match(both.client.cookieHeader(), /^__Host-/);
    assert.equal(await answerOf(connect(both, proxied.headers)), 'Hello ada');
    assert.equal(await answerOf(connect(both)), 'Hello null');
    await both.close();
  });

  it('of() without a handshake names the line', () => {
    const { of } = upgrades(session({ secret }).sessions);
    assert.throws(() => of(new http.IncomingMessage(new net.Socket())), {
      code: 'ERR_SESSION_MISSING',
      message: /upgrade\.test\.js:\d+/,
    });
  });
});

describe('the end of the session ends the socket', () => {
  const closing: OnConnection = ({ onEnd }, socket, request) => {
    socket.on(
      'close',
      onEnd(request, () => socket.close(1008, 'ended'), 5),
    );
    socket.send('open');
  };

  const ways: Record<string, (both: Both, clock: ReturnType<typeof createTestClock>) => Promise<unknown>> = {
    'a logout': ({ client }) => client.get('/logout'),
    'another login': ({ client }) => client.get('/login/bob'),
    'revokeAll, which tells no event': ({ remember }) => remember.sessions.revokeAll('ada'),
    'its time': async (_both, clock) => clock.advance('1h'),
    'a logout after a rotation': async ({ client }, clock) => {
      await client.get('/rotate');
      clock.advance('11s');
      await client.get('/logout');
    },
  };
  for (const [name, end] of Object.entries(ways)) {
    it(`by ${name}`, async () => {
      const clock = createTestClock();
      const both = await serveBoth(closing, { clock, store: memoryStore({ clock }), idle: '30m' });
      await both.client.get('/login/ada');
      const socket = connect(both);
      await once(socket, 'message');
      const closed = once(socket, 'close');
      await end(both, clock);
      const [code, reason] = await closed;
      assert.deepEqual([code, String(reason)], [1008, 'ended']);
      await both.close();
    });
  }

  it('a rotation does not end it, even after the grace, and it is no theft', async () => {
    const clock = createTestClock();
    const asked: Array<Promise<boolean>> = [];
    const both = await serveBoth(
      ({ stillLive }, socket, request) => {
        socket.on('message', () => {
          asked.push(stillLive(request));
          socket.send('asked');
        });
        socket.send('open');
      },
      { clock, store: memoryStore({ clock }) },
    );
    both.remember.sessions.on('reused', () => assert.fail('reused'));
    await both.client.get('/login/ada');
    const socket = connect(both);
    await once(socket, 'message');
    for (let round = 0; round < 3; round++) {
      await both.client.get('/rotate');
      clock.advance('1m');
      socket.send('?');
      await once(socket, 'message');
    }
    assert.deepEqual(await Promise.all(asked), [true, true, true]);
    await both.client.get('/logout');
    socket.send('?');
    await once(socket, 'message');
    assert.equal(await asked.at(-1), false);
    socket.close();
    await both.close();
  });

  it('what touch() marks is the session, wherever a rotation has taken it', async context => {
    const clock = createTestClock();
    const both = await serveBoth(
      ({ of }, socket, request) => {
        socket.on('message', async () => {
          await of(request).touch().save();
          socket.send('touched');
        });
        socket.send('open');
      },
      { clock, store: memoryStore({ clock }), idle: '30m' },
    );
    context.after(both.close);
    await both.client.get('/login/ada');
    const socket = connect(both);
    await once(socket, 'message');
    await both.client.get('/rotate');
    for (let round = 0; round < 4; round++) {
      clock.advance('20m');
      socket.send('?');
      await once(socket, 'message');
    }
    assert.equal((await both.remember.sessions.list('ada')).length, 1);
    socket.close();
  });

  it('however long it is between two looks: longer than a timer of Node can wait', async context => {
    const warnings = warningsIn(context);
    const both = await serveBoth(
      ({ onEnd }, socket, request) => {
        socket.on(
          'close',
          onEnd(request, () => socket.close(), '30d'),
        );
        socket.send('open');
      },
      { storeTimeout: '30d', store: faultStore(memoryStore(), () => ({ kind: 'delay', time: 10 })) },
    );
    context.after(both.close);
    assert.equal((await both.client.get('/login/ada')).status, 200);
    assert.equal(await answerOf(connect(both)), 'open');
    assert.deepEqual(warnings, []);
  });

  it('a store that fails ends nothing, and is reported; a visitor without a session is not watched', async () => {
    const store = faultStore(memoryStore());
    const both = await serveBoth(closing, { store });
    const visitor = connect(both);
    visitor.once('close', () => assert.fail('closed'));
    await once(visitor, 'message');
    await both.client.get('/login/ada');
    const socket = connect(both);
    await once(socket, 'message');
    const failedTwice = new Promise<void>(resolve => {
      let times = 0;
      both.remember.sessions.on('failed', () => ++times === 2 && resolve());
    });
    store.plan(({ operation }) => (operation === 'read' ? { kind: 'fail' } : null));
    await failedTwice;
    assert.equal(socket.readyState, WebSocket.OPEN);
    const closed = once(socket, 'close');
    store.plan(() => null);
    await both.client.get('/logout');
    await closed;
    assert.equal(visitor.readyState, WebSocket.OPEN);
    visitor.removeAllListeners('close');
    visitor.close();
    await both.close();
  });

  it('sealed cookies: nothing can be saved, and an expiry ends it', async () => {
    const clock = createTestClock();
    const both = await serveBoth(
      async (upgraded, socket, request) => {
        closing(upgraded, socket, request);
        const present = upgraded.of(request);
        present['late'] = true;
        socket.send(
          await present.save().then(
            () => 'saved',
            error => error.code,
          ),
        );
      },
      { store: sealedCookieStore() as never, clock, idle: '30m' },
    );
    await both.client.get('/login/ada');
    const socket = connect(both);
    const messages: string[] = [];
    socket.on('message', data => messages.push(String(data)));
    while (messages.length < 2) await once(socket, 'message');
    assert.deepEqual(messages, ['open', 'ERR_HEADERS_SENT']);
    const closed = once(socket, 'close');
    clock.advance('1h');
    await closed;
    await both.close();
  });
});

/** Asks for a WebSocket, and resets the connection while the store is still asked. */
async function resetWhileRead(
  server: http.Server,
  path: string,
  cookie: string,
  reading: Promise<void>,
): Promise<void> {
  const { port } = server.address() as net.AddressInfo;
  const upgrade = new Promise<Duplex>(resolve => server.once('upgrade', (_request, socket) => resolve(socket)));
  const client = net.connect(port, '127.0.0.1');
  const fields = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
  client.write(
    `GET ${path} HTTP/1.1\r\nHost: here\r\nCookie: ${cookie}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${fields}\r\n\r\n`,
  );
  const socket = await upgrade;
  await reading;
  // Not by once(), which would listen to the error as well.
  const closed = new Promise(resolve => socket.once('close', resolve));
  client.resetAndDestroy();
  await closed;
}

/** A store that waits with a read until it may go on. */
function waitingStore() {
  const [reading, goOn] = [gateway(), gateway()];
  const store = memoryStore();
  const read = store.read.bind(store);
  store.read = async key => {
    reading.open();
    await goOn.opened;
    return read(key);
  };
  return { store, reading: reading.opened, goOn };
}

describe('a client that resets the connection while its session is read ends nothing', () => {
  for (const [name, middlewareOf] of [
    ['upgrades().middleware', (both: Both) => both.upgraded.middleware],
    ['session()', (both: Both) => both.remember as unknown as Upgrades['middleware']],
  ] as const) {
    it(`socket.io with ${name}`, async context => {
      const { store, reading, goOn } = waitingStore();
      const both = await serveBoth(() => {}, { store });
      context.after(both.close);
      both.server.removeAllListeners('upgrade');
      const server = new SocketServer(both.server);
      server.engine.use(middlewareOf(both));
      await both.client.get('/login/ada');
      await resetWhileRead(both.server, '/socket.io/?EIO=4&transport=websocket', both.client.cookieHeader(), reading);
      goOn.open();
      assert.equal((await both.client.get('/data')).status, 200);
      await server.close();
    });
  }

  it('Hono, over a socket that a listener for upgrades leads to it', async context => {
    const { store, reading, goOn } = waitingStore();
    const remember = honoSession({ secret, store });
    const app = new Hono();
    app.use(remember);
    app.get('/', c => c.text('reached'));
    const answered = gateway();
    const server = http.createServer();
    server.on('upgrade', async (incoming, socket) => {
      await app.request('/', { headers: { cookie: String(incoming.headers.cookie) } }, { incoming });
      socket.destroy();
      answered.open();
    });
    const served = await serveOn(server);
    context.after(served.close);
    const { header } = await loginAs(remember, 'ada');
    await resetWhileRead(server, '/', header, reading);
    goOn.open();
    await answered.opened;
  });
});

describe('socket.io', () => {
  for (const transport of ['polling', 'websocket'] as const) {
    it(`over ${transport}: the session, foreign origins, stores that fail, the end`, async () => {
      const store = faultStore(memoryStore());
      const both = await serveBoth(() => {}, { store });
      both.server.removeAllListeners('upgrade');
      const server = new SocketServer(both.server);
      server.engine.use(both.upgraded.middleware);
      server.on('connection', socket => {
        const stop = both.upgraded.onEnd(socket.request, () => socket.disconnect(), 5);
        socket.on('disconnect', stop);
        socket.emit('hello', both.upgraded.of(socket.request).about.userId);
      });
      await both.client.get('/login/ada');
      const join = (extraHeaders: Record<string, string> = {}) =>
        io(both.url, {
          transports: [transport],
          extraHeaders: { cookie: both.client.cookieHeader(), ...extraHeaders },
          reconnection: false,
          forceNew: true,
        });
      const told = async (client: ReturnType<typeof join>, name: string) =>
        new Promise<unknown>(resolve => client.once(name, resolve));

      const client = join();
      assert.equal(await told(client, 'hello'), 'ada');
      await told(join({ origin: 'https://evil.example' }), 'connect_error');
      store.plan(({ operation }) => (operation === 'read' ? { kind: 'fail' } : null));
      await told(join(), 'connect_error');
      store.plan(() => null);
      const ended = told(client, 'disconnect');
      await both.client.get('/logout');
      await ended;
      await server.close();
      await both.close();
    });
  }
});
