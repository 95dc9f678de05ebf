// What an existing Express application brings along: middleware and ways of writing that were made for express-session.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import expressSession from 'express-session';
import type { MadeleineError } from 'madeleine';
import { session } from 'madeleine/express';
import { Server as SocketServer } from 'socket.io';
import { io } from 'socket.io-client';
import { WebSocket, WebSocketServer } from 'ws';
import { cert, key } from '../support/certificate.ts';
import { Client, request } from '../support/client.ts';
import { EXPRESSES } from '../support/expresses.ts';
import { serve, serveOn } from '../support/serve.ts';
import { warningsIn } from '../support/warnings.ts';

const secret = 'a secret of more than thirty-two bytes';

/** What every object of the process would have, had somebody put it there. */
function onEveryObject(): string[] {
  return ['session', 'flash', 'writeHead', 'flushHeaders', 'write', 'end'].filter(name => name in {});
}

describe("responses that are not Node's", () => {
  it("io.engine.use(session()), as socket.io's guide writes it, gives socket.request.session", async () => {
    const remember = session({ secret });
    const app = express();
    app.use(remember);
    app.get('/put', (req, res) => {
      req.session.theme = 'dark';
      res.send('put');
    });
    app.get('/see', (req, res) => void res.json(req.session));
    const server = createServer(app);
    const sockets = new SocketServer(server);
    sockets.engine.use(remember);
    sockets.on('connection', socket => {
      const { session } = socket.request as unknown as express.Request;
      socket.emit('theme', session.theme);
      session.visits = 1;
      session.save(error => void socket.emit('saved', error ?? null));
    });
    const served = await serveOn(server);
    const client = new Client(served.url);
    await client.get('/put');
    const cookie = [...client.jar].map(pair => pair.join('=')).join('; ');
    const socket = io(served.url, { transports: ['websocket'], extraHeaders: { cookie } });
    const heard = (event: string) => new Promise<unknown>(resolve => void socket.once(event, resolve));
    assert.deepEqual(await Promise.all([heard('theme'), heard('saved')]), ['dark', null]);
    assert.deepEqual((await client.get('/see')).json(), { theme: 'dark', visits: 1 });
    assert.deepEqual(onEveryObject(), []);
    socket.close();
    sockets.close();
    await served.close();
  });

  it('over https too, where its requests know nothing of req.secure', async () => {
    const remember = session({ secret });
    const app = express();
    app.use(remember);
    app.get('/', (req, res) => void res.json(Object.assign(req.session, { theme: 'dark' })));
    const server = https.createServer({ key, cert }, app);
    const sockets = new SocketServer(server);
    sockets.engine.use(remember);
    sockets.on('connection', socket => {
      socket.emit('theme', (socket.request as unknown as express.Request).session.theme ?? 'none');
    });
    const served = await serveOn(server, 'https');
    const [answer] = await once(https.get(served.url, { agent: false, rejectUnauthorized: false }), 'response');
    answer.resume();
    const extraHeaders = { cookie: answer.headers['set-cookie'].join().split(';')[0] };
    const socket = io(served.url, { transports: ['websocket'], rejectUnauthorized: false, extraHeaders });
    assert.equal(await new Promise(resolve => void socket.once('theme', resolve)), 'dark');
    socket.close();
    sockets.close();
    await served.close();
  });

  it("session(req, {}, next) in an upgrade listener, as the guide of ws writes it; with 'serialize' requests go on", async () => {
    const remember = session({ secret, concurrency: 'serialize', storeTimeout: '1m' });
    const app = express().use(remember);
    app.get('/visit', (req, res) => {
      req.session.visits = (req.session.visits ?? 0) + 1;
      res.json(req.session.visits);
    });
    const server = createServer(app);
    const sockets = new WebSocketServer({ noServer: true });
    server.on('upgrade', (req, socket, head) => {
      remember(req, {} as ServerResponse, error => {
        if (error) return void socket.destroy();
        sockets.handleUpgrade(req, socket, head, ws => ws.send(String(remember.of(req).visits)));
      });
    });
    const served = await serveOn(server);
    const client = new Client(served.url);
    await client.get('/visit');
    const socket = new WebSocket(served.url.replace('http', 'ws'), { headers: { cookie: client.cookieHeader() } });
    const [message] = await once(socket, 'message');
    assert.equal(String(message), '1');
    assert.equal((await client.get('/visit', { signal: AbortSignal.timeout(10_000) })).body, '2');
    socket.close();
    sockets.close();
    await served.close();
  });

  it('a request and a response made by hand, for a unit test, change nothing that others share', () => {
    const remember = session({ secret });
    const made = { headers: {}, socket: {} } as IncomingMessage;
    let ended = '';
    const response = {
      req: made,
      getHeader: () => undefined,
      setHeader: () => {},
      end: (text: string) => {
        ended = text;
      },
    } as unknown as ServerResponse;
    remember(made, response, () => {
      remember.of(made);
      response.end('done');
    });
    assert.equal(ended, 'done');
    assert.deepEqual(onEveryObject(), []);
  });
});

// Bun's own node:http asks the stand-in for once(): serverless-http does not run there, with us or without.
const onBun = process.versions['bun'] !== undefined;

it('a response over a stand-in for a socket, as serverless-http makes it, is answered and saved', {
  skip: onBun,
}, async () => {
  const app = express();
  app.use(session({ secret }));
  app.get('/', (req, res) => {
    req.session.visits = (req.session.visits ?? 0) + 1;
    res.json({ visits: req.session.visits });
  });
  const visit = (headers: Record<string, string>) =>
    new Promise<ServerResponse>(resolve => {
      const made = Object.assign(new IncomingMessage(new PassThrough() as unknown as Socket), {
        headers,
        method: 'GET',
        url: '/',
      });
      const response = new ServerResponse(made);
      const nothing = () => {};
      const socket = {
        _writableState: {},
        writable: true,
        on: nothing,
        removeListener: nothing,
        destroy: nothing,
        cork: nothing,
        uncork: nothing,
      };
      response.assignSocket(Object.assign(socket, { write: () => true }) as unknown as Socket);
      response.on('prefinish', () => resolve(response));
      app(made as Request, response as Response);
    });
  const first = await visit({});
  assert.equal(first.statusCode, 200);
  const cookie = String(first.getHeader('set-cookie')).split(';')[0] as string;
  const second = await visit({ cookie });
  assert.equal(second.getHeader('set-cookie'), undefined);
  assert.equal(second.getHeader('content-length'), '12');
  assert.equal(second.statusCode, 200);
});

for (const { name, express } of EXPRESSES) {
  describe(`${name}: what was written for express-session`, () => {
    it('req.sessionID is the id of the session, also after regenerate() and where the data has an id of its own', async () => {
      const app = express();
      app.use(session({ secret }));
      app.get('/fresh', (req, res) => void res.json([req.sessionID, req.session.id]));
      app.get('/new', (req, res, next) => {
        const before = req.sessionID;
        req.session.regenerate(error => {
          if (error) return next(error);
          const [after, id] = [req.sessionID, req.session.id];
          Object.assign(req.session, { id: 'mine' });
          res.json([before !== after, after === id, req.sessionID === id]);
        });
      });
      app.get('/look', (req, res) => void res.send(req.sessionID));
      const served = await serve(app);
      const client = new Client(served.url);
      const [one, other] = (await client.get('/fresh')).json<string[]>();
      assert.match(one as string, /^[\w-]{43}$/);
      assert.equal(one, other);
      assert.deepEqual((await client.get('/new')).json(), [true, true, true]);
      const looked = await client.get('/look');
      assert.equal(looked.headers['vary'], 'Cookie');
      assert.equal(looked.body, (await client.get('/look')).body);
      await served.close();
    });

    it('another library may set req.sessionID on requests that came through no session()', async () => {
      const ours = express();
      ours.use(session({ secret }));
      const theirs = express();
      theirs.get('/', (req, res) => {
        req.sessionID = 'theirs';
        res.send(req.sessionID);
      });
      const app = express();
      app.use('/ours', ours);
      app.use('/theirs', theirs);
      const served = await serve(app);
      await request(`${served.url}/ours`);
      assert.equal((await request(`${served.url}/theirs`)).body, 'theirs');
      await served.close();
    });

    it('req.session.cookie.maxAge = … throws, in sloppy code too, and names what to do instead', async () => {
      const app = express();
      app.use(session({ secret }));
      app.get('/strict', (req, res) => {
        Object.assign(req.session.cookie, { maxAge: 1000 });
        res.send('lost');
      });
      app.get(
        '/sloppy',
        new Function('req', 'res', 'req.session.cookie.expires = false; res.send("lost")') as RequestHandler,
      );
      app.get(
        '/delete',
        new Function('req', 'res', 'delete req.session.cookie.path; res.send("lost")') as RequestHandler,
      );
      app.get(
        '/read',
        (req, res) => void res.json({ ...req.session.cookie, text: JSON.stringify(req.session.cookie) }),
      );
      app.use((error: MadeleineError, _req: Request, res: Response, _next: NextFunction) => {
        res.json({ code: error.code, remedy: error.remedy });
      });
      const served = await serve(app);
      for (const path of ['/strict', '/sloppy', '/delete']) {
        const { code, remedy } = (await request(served.url + path)).json();
        assert.equal(code, 'ERR_DATA_KEY');
        assert.match(String(remedy), /remember: true/);
      }
      const read = (await request(`${served.url}/read`)).json();
      assert.equal(read['httpOnly'], true);
      assert.match(String(read['text']), /"sameSite":"lax"/);
      await served.close();
    });

    it('express-session left above session() is named, and of() reaches ours', async context => {
      const warnings = warningsIn(context);
      const remember = session({ secret });
      const app = express();
      app.use(expressSession({ secret, resave: false, saveUninitialized: false }), remember);
      app.get('/', (req, res) => {
        remember.of(req).visits = (remember.of(req).visits ?? 0) + 1;
        res.json(remember.of(req).visits);
      });
      const served = await serve(app);
      const client = new Client(served.url);
      await client.get('/');
      assert.equal((await client.get('/')).body, '2');
      const ours = warnings.filter(({ code }) => code === 'MADELEINE_SHADOWED');
      // Once in a process: for the first Express of the two. On Bun all files are one process, and a test of Koa may have had it.
      if (!onBun) assert.equal(ours.length, name === 'Express 4' ? 1 : 0);
      for (const { message } of ours) assert.match(message, /express-session.*Remove it/);
      await served.close();
    });
  });
}
