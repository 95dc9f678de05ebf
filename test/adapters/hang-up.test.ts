// What a handler still does to its session once the client has gone.
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { memoryStore } from 'madeleine/memory';
import { session, type WithSession } from 'madeleine/node';
import { type FaultStore, faultStore } from 'madeleine/testing';
import { Client } from '../support/client.ts';
import { gateway } from '../support/gateway.ts';
import { HTTP2_ABORTS } from '../support/http2.ts';
import { type Served, serve, serveOn } from '../support/serve.ts';
import { ownWarnings, warningsIn } from '../support/warnings.ts';

const secret = 'a secret of more than thirty-two bytes';
const stores = {
  'a store that answers at once': () => faultStore(memoryStore()),
  'a store that answers later': () => faultStore(memoryStore(), () => ({ kind: 'delay', time: 5 })),
};
const PROTOCOLS = { 'HTTP/1.1': undefined, 'HTTP/2': 'http2' } as const;

/** What a handler does, told when it has begun; `gone` resolves when its client has. */
type Handler = (req: IncomingMessage & WithSession, res: ServerResponse, gone: Promise<unknown>) => void;

const handlers: Record<string, Handler> = {
  'when its request closes, as server-sent events do': (req, res) => {
    req.session.visits = 1;
    res.write('data: 1\n\n');
    req.on('close', () => {
      req.session.visits = 7;
    });
  },
  'when its request closes, by a reference of before': (req, res) => {
    const { session } = req;
    res.write('data: 1\n\n');
    req.on('close', () => {
      session.visits = 7;
    });
  },
  'when its response closes': (req, res) => {
    void req.session.visits;
    res.on('close', () => {
      req.session.visits = 7;
    });
  },
  'after that, and never ends its response': async (req, _res, gone) => {
    void req.session.visits;
    await gone;
    req.session.visits = 7;
  },
  'after that, and asks for it only then': async (req, _res, gone) => {
    await gone;
    req.session.visits = 7;
  },
  'after that, and ends its response': async (req, res, gone) => {
    void req.session.visits;
    await gone;
    req.session.visits = 7;
    res.end('too late');
  },
};

for (const [kind, makeStore] of Object.entries(stores)) {
  for (const [version, protocol] of Object.entries(PROTOCOLS)) {
    describe(`${version}, ${kind}: the client has gone, and a handler changes the session`, {
      skip: protocol && HTTP2_ABORTS,
    }, () => {
      for (const [title, handler] of Object.entries(handlers)) {
        it(title, async context => {
          const warnings = warningsIn(context);
          const store = makeStore();
          const { served, failures, handled } = await serveHandler(context, protocol, store, handler);
          const client = new Client(served.url, protocol);
          await client.get('/begin');
          const leave = protocol ? askOverHttp2(client, served) : askOverHttp1(client, served);
          const begun = await handled;
          // Time for what the handler writes before to be saved, which counts as well.
          await setImmediate();
          leave();
          await begun.gone;
          await visitsBecome(client, 7);
          const writes = () => store.calls.filter(({ operation }) => operation === 'replace').length;
          const before = writes();
          await client.get('/');
          assert.equal(writes(), before);
          assert.deepEqual([ownWarnings(warnings), failures], [[], []]);
        });
      }
    });
  }
}

describe('the client has gone', () => {
  it('before its request, which waited behind another, asks for the session', async context => {
    const { served, handled } = await serveHandler(
      context,
      undefined,
      faultStore(memoryStore()),
      async (req, _res, gone) => {
        await gone;
        req.session.visits = 7;
      },
    );
    const client = new Client(served.url);
    await client.get('/begin');
    const leave = askOverHttp1(client, served, '/wait', '/handle');
    const { gone } = await handled;
    leave();
    await gone;
    await visitsBecome(client, 7);
  });

  it("before its response, which waited behind another, had its turn to leave: with 'serialize' the next request goes on", async context => {
    const handled = gateway();
    const remember = session({ secret, concurrency: 'serialize', storeTimeout: '1m' });
    const served = await serve(
      remember.withSession((req, res) => {
        if (req.url === '/wait') return;
        req.session.visits = (req.session.visits ?? 0) + 1;
        res.end(String(req.session.visits));
        if (req.url === '/handle') handled.open();
      }),
    );
    context.after(served.close);
    const client = new Client(served.url);
    await client.get('/');
    const socket = net.connect(served.port, '127.0.0.1');
    const ask = (path: string, cookie = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${cookie}\r\n`;
    socket.write(ask('/wait') + ask('/handle', `Cookie: ${client.cookieHeader()}\r\n`));
    await handled.opened;
    socket.destroy();
    assert.equal((await client.get('/', { signal: AbortSignal.timeout(10_000) })).body, '3');
  });

  it('and a save that fails is told by the event', async context => {
    const store = faultStore(memoryStore());
    const { served, failures, handled } = await serveHandler(context, undefined, store, async (req, _res, gone) => {
      void req.session.visits;
      await gone;
      store.plan(({ operation }) => (operation === 'replace' ? { kind: 'fail' } : null));
      req.session.visits = 7;
    });
    const client = new Client(served.url);
    await client.get('/begin');
    const leave = askOverHttp1(client, served);
    const { gone } = await handled;
    leave();
    await gone;
    await setImmediate();
    assert.deepEqual(failures, ['ERR_STORE_FAILED']);
  });

  it('before a session was begun for it: nothing is kept, and nobody is warned', async context => {
    const warnings = warningsIn(context);
    const memory = memoryStore();
    const store = faultStore(memory);
    const { served, handled } = await serveHandler(context, undefined, store, async (req, _res, gone) => {
      await gone;
      req.session.visits = 7;
    });
    const leave = askOverHttp1(new Client(served.url), served);
    const { gone } = await handled;
    leave();
    await gone;
    await setImmediate();
    assert.deepEqual([memory.admin.count(0), ownWarnings(warnings)], [0, []]);
  });
});

interface Handled {
  /** The handler's client has gone. */
  gone: Promise<unknown>;
}

/** `/begin` begins a session, `/` says what it holds, `/wait` is never answered, and anything else is given to the handler. */
async function serveHandler(context: TestContext, protocol: 'http2' | undefined, store: FaultStore, handler: Handler) {
  const { sessions, withSession } = session({ secret, store });
  const failures: string[] = [];
  sessions.on('failed', ({ error }) => failures.push((error as Error & { code: string }).code));
  const { opened: handled, open: tell } = gateway<Handled>();
  const listener = withSession((req, res) => {
    if (req.url === '/wait') return;
    if (req.url === '/begin') req.session.visits = 0;
    if (req.url === '/' || req.url === '/begin') return void res.end(String(req.session.visits));
    const gone = new Promise<void>(resolve => void req.once('close', resolve)).then(() => setImmediate());
    handler(req, res, gone);
    tell({ gone });
  });
  const served = protocol ? await serveOn(http2.createServer(listener as never) as never) : await serve(listener);
  context.after(served.close);
  return { served, handled, failures };
}

/** Asks, and gives what closes the connection. */
function askOverHttp1(client: Client, { port }: Served, ...paths: string[]): () => void {
  const socket = net.connect(port, '127.0.0.1');
  const cookie = client.cookieHeader();
  const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n${cookie ? `Cookie: ${cookie}\r\n` : ''}\r\n`;
  socket.write((paths.length > 0 ? paths : ['/handle']).map(ask).join(''));
  return () => void socket.destroy();
}

/** The same with one stream of a connection that stays. */
function askOverHttp2(client: Client, { url }: Served): () => void {
  const connection = http2.connect(url);
  const stream = connection.request({ ':path': '/handle', cookie: client.cookieHeader() });
  stream.on('error', () => {});
  stream.on('close', () => connection.close());
  return () => stream.close(http2.constants.NGHTTP2_CANCEL);
}

async function visitsBecome(client: Client, expected: number): Promise<void> {
  for (let tries = 0; (await client.get('/')).body !== String(expected); tries++) {
    assert.ok(tries < 200, 'the change was lost');
  }
}
