// What an existing Express application brings along: middleware and ways of writing that were made for express-session.
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import express from 'express';
import { session } from 'madeleine/express';
import { Server as SocketServer } from 'socket.io';
import { io } from 'socket.io-client';
import { Client } from '../support/client.ts';
import { serveOn } from '../support/serve.ts';

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

  it('a request and a response made by hand, for a unit test, change nothing that others share', () => {
    const remember = session({ secret });
    const request = { headers: {}, socket: {} } as IncomingMessage;
    let ended = '';
    const response = {
      req: request,
      getHeader: () => undefined,
      setHeader: () => {},
      end: (text: string) => {
        ended = text;
      },
    } as unknown as ServerResponse;
    remember(request, response, () => {
      remember.of(request);
      response.end('done');
    });
    assert.equal(ended, 'done');
    assert.deepEqual(onEveryObject(), []);
  });
});
