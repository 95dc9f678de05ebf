// The head of plain Node's responses: how it looks to a handler while it is held, and what writeHead is given.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import http2 from 'node:http2';
import { describe, it, type TestContext } from 'node:test';
import type { SessionStore } from 'madeleine';
import { memoryStore } from 'madeleine/memory';
import { session } from 'madeleine/node';
import { faultStore } from 'madeleine/testing';
import { request } from '../support/client.ts';
import { HTTP2_ABORTS } from '../support/http2.ts';
import { serve, serveOn } from '../support/serve.ts';

const secret = 'a secret of more than thirty-two bytes';
const slow = () => faultStore(memoryStore(), () => ({ kind: 'delay', time: 5 }));
const broken = () => faultStore(memoryStore(), ({ operation }) => (operation === 'create' ? { kind: 'fail' } : null));

describe('node: while a head is held', () => {
  it('no field can be changed, in the words of Node', async context => {
    const refused: string[] = [];
    const served = await serve(
      session({ secret, store: slow() }).withSession((req, res) => {
        req.session.visits = 1;
        res.setHeader('X-Early', '1');
        res.end('held');
        const changes = [
          () => res.setHeader('X-Late', '1'),
          () => res.setHeaders(new Map([['X-Late', '1']])),
          () => res.appendHeader('X-Early', '2'),
          () => res.removeHeader('X-Early'),
        ];
        for (const change of changes) {
          try {
            change();
          } catch (error) {
            refused.push(`${(error as { code: string }).code} ${(error as Error).message}`);
          }
        }
      }),
    );
    context.after(served.close);
    const { headers } = await request(served.url);
    assert.deepEqual([headers['x-early'], headers['x-late']], ['1', undefined]);
    assert.deepEqual(
      refused,
      ['set', 'set', 'append', 'remove'].map(
        verb => `ERR_HTTP_HEADERS_SENT Cannot ${verb} headers after they are sent to the client`,
      ),
    );
  });

  for (const protocol of ['http1', 'http2'] as const) {
    const ways: Record<string, (res: ServerResponse) => void> = {
      write: res => void res.write('held'),
      end: res => void res.end('held'),
      flushHeaders: res => res.flushHeaders(),
      writeHead: res => void res.writeHead(201, { 'X-Early': '1' }),
    };
    for (const [way, hold] of Object.entries(ways)) {
      it(`after ${way}() its status stands, and another is refused, as by Node itself (${protocol})`, {
        skip: protocol === 'http2' && HTTP2_ABORTS,
      }, async context => {
        const refusals = (res: ServerResponse): string[] => {
          const refused: string[] = [];
          res.statusCode = 202;
          hold(res);
          res.statusCode = 205;
          if (protocol === 'http1') res.statusMessage = 'Late';
          const changes = [
            () => res.writeHead(203),
            () => res.writeHead(205, { 'X-Late': '1' }),
            () => res.writeHead(205, protocol === 'http1' ? 'Late' : ''),
            () => res.setHeader('X-Late', '1'),
          ];
          for (const change of changes) {
            try {
              change();
            } catch (error) {
              const { code, message } = error as Error & { code: string };
              // Bun has other words for it.
              refused.push('Bun' in globalThis ? code : `${code} ${message}`);
            }
          }
          if (!res.writableEnded) res.end();
          return refused;
        };
        /** What the handler met, and what its client is sent. */
        const outcome = async (through: (listener: http.RequestListener) => http.RequestListener) => {
          let refused: string[] = [];
          const listener = through((_req, res) => {
            refused = refusals(res);
          });
          const served =
            protocol === 'http1'
              ? await serve(listener)
              : await serveOn(http2.createServer(listener as never) as unknown as http.Server);
          context.after(served.close);
          const { status, body, headers } = await request(served.url, { protocol });
          return { refused, status, body, late: headers['x-late'] };
        };
        const bare = await outcome(listener => listener);
        const held = await outcome(listener =>
          session({ secret, store: slow() }).withSession((req, res) => {
            req.session.visits = 1;
            return listener(req, res);
          }),
        );
        assert.equal(bare.refused.length, 4);
        assert.deepEqual(held, bare);
      });
    }
  }

  it('nor is its message another, and a library that looks whether Node has written it may begin again', async context => {
    const served = await serve(
      session({ secret, store: slow() }).withSession((req, res) => {
        req.session.visits = 1;
        res.statusMessage = 'Early';
        for (const text of ['one', 'two']) {
          // As compression did before 1.8.
          const own = res as unknown as { _header: string | null; _implicitHeader(): void };
          if (!own._header) own._implicitHeader();
          res.write(text);
        }
        res.statusMessage = 'Late';
        res.end();
      }),
    );
    context.after(served.close);
    const [incoming] = await once(http.get(served.url, { agent: false }), 'response');
    let body = '';
    for await (const chunk of incoming) body += chunk;
    assert.deepEqual([incoming.statusMessage, body], ['Early', 'onetwo']);
  });

  it('a status that is set too late does not make an error of it that was told already', async context => {
    const served = await serve(
      session({ secret, store: broken() }).withSession((req, res) => {
        req.session.visits = 1;
        res.end('saved');
        res.statusCode = 500;
      }),
    );
    context.after(served.close);
    const { status, body } = await request(served.url);
    assert.deepEqual([status, body], [503, 'Service Unavailable\n']);
  });

  it('it counts as sent, and its end as the end', async context => {
    const seen: unknown[] = [];
    const served = await serve(
      session({ secret, store: slow() }).withSession((req, res) => {
        req.session.visits = 1;
        res.write('held');
        seen.push(res.headersSent, res.writableEnded);
        res.end();
        seen.push(res.writableEnded);
      }),
    );
    context.after(served.close);
    await request(served.url);
    assert.deepEqual(seen, [true, false, true]);
  });

  it('how it looks, and what holds it, is made once for all responses', async context => {
    const seen = new Set<unknown>();
    const served = await serve(
      session({ secret, store: slow() }).withSession((req, res) => {
        req.session.visits = 1;
        res.end();
        seen.add(res.setHeader).add(res.end);
      }),
    );
    context.after(served.close);
    for (let round = 0; round < 3; round++) await request(served.url);
    assert.equal(seen.size, 2);
  });
});

describe('node: once a save has failed, the error handler has the response as it was', () => {
  type Handler = (request: IncomingMessage, response: ServerResponse) => void;

  /** Each path with what is done to its response before the session is opened, and to answer with the error. */
  async function fails(context: TestContext, before: Handler, answer: Handler): Promise<http.IncomingHttpHeaders> {
    const sessions = session({ secret, store: broken() });
    const served = await serve((req, res) => {
      if (req.url === '/') before(req, res);
      sessions(req, res, error => {
        if (!error) sessions.of(req).visits = 1;
        else if (req.url === '/') answer(req, res);
        res.end();
      });
    });
    context.after(served.close);
    // The first leaves behind how a held response looks that nobody did anything to.
    await request(`${served.url}/other`);
    return (await request(served.url)).headers;
  }

  it('its fields, one call after another', async context => {
    const headers = await fails(
      context,
      () => {},
      (_req, res) => res.setHeader('X-Error', '1').setHeader('X-More', '2'),
    );
    assert.deepEqual([headers['x-error'], headers['x-more']], ['1', '2']);
  });

  it('a method and a property that another library had put on it', async context => {
    const asked: string[] = [];
    let sent: unknown = null;
    await fails(
      context,
      (_req, res) => {
        const { setHeader } = res;
        res.setHeader = function (this: ServerResponse, name, value) {
          asked.push(name);
          return setHeader.call(this, name, value);
        };
      },
      (_req, res) => res.setHeader('X-Error', '1'),
    );
    await fails(
      context,
      (_req, res) => Object.defineProperty(res, 'headersSent', { get: () => 'theirs', configurable: true }),
      (_req, res) => {
        sent = res.headersSent;
      },
    );
    assert.ok(asked.includes('X-Error'));
    assert.equal(sent, 'theirs');
  });

  it('a library may put its own on it then', async context => {
    let sent: unknown = null;
    const headers = await fails(
      context,
      () => {},
      (_req, res) => {
        const { setHeader } = res;
        res.setHeader = (name, value) => setHeader.call(res, name, `own ${value}`);
        Object.defineProperty(res, 'appendHeader', { value: () => res.setHeader('X-More', '2'), enumerable: true });
        Object.defineProperty(res, 'headersSent', { value: 'own' });
        res.setHeader('X-Error', '1').appendHeader('X-More', '2');
        sent = res.headersSent;
      },
    );
    assert.deepEqual([headers['x-error'], headers['x-more'], sent], ['own 1', 'own 2', 'own']);
  });

  it('over HTTP/2 without the methods that it has not there', { skip: HTTP2_ABORTS }, async context => {
    const sessions = session({ secret, store: broken() });
    let methods: unknown[] = [];
    const served = await serveOn(
      http2.createServer((req, res) => {
        const before = 'setHeaders' in res;
        sessions(req, res, error => {
          if (!error) sessions.of(req).visits = 1;
          else methods = [before, 'setHeaders' in res];
          res.end();
        });
      }),
    );
    context.after(served.close);
    await request(served.url, { protocol: 'http2' });
    assert.equal(methods[0], methods[1]);
  });
});

describe('node: a library that took hold of a response before the session', () => {
  for (const name of ['writeHead', 'flushHeaders', 'write', 'end'] as const) {
    /** Answers in all ways at once, and says whether the library was asked: of the response that it took hold of, and of one after it. */
    async function asked(context: TestContext, store: SessionStore): Promise<boolean[]> {
      const sessions = session({ secret, store });
      let asked = false;
      const served = await serve((req, res) => {
        const method = res[name] as (...args: unknown[]) => unknown;
        const wrapper = (...args: unknown[]) => {
          asked = true;
          return method.apply(res, args);
        };
        if (req.url === '/wrapped') Object.assign(res, { [name]: wrapper });
        sessions(req, res, error => {
          if (!error) sessions.of(req).visits = 1;
          res.writeHead(error ? 503 : 200);
          res.flushHeaders();
          res.write(error ? 'err' : 'te');
          res.end(error ? 'or' : 'xt');
        });
      });
      context.after(served.close);
      const found: boolean[] = [];
      for (const path of ['/', '/wrapped', '/']) {
        asked = false;
        const { status, body } = await request(served.url + path);
        assert.equal(body, status === 503 ? 'error' : 'text');
        found.push(asked);
      }
      return found;
    }

    it(`${name}: it is asked, and of that response alone`, async context => {
      assert.deepEqual(await asked(context, memoryStore()), [false, true, false]);
    });

    it(`${name}: it has no part in an error that is sent instead`, async context => {
      assert.deepEqual(await asked(context, broken()), [false, false, false]);
    });
  }
});

it('a response made by hand without a request ends itself after a pause too, and no other', async () => {
  const sessions = session({ secret });
  const ended: string[] = [];
  for (const name of ['first', 'second']) {
    const made = { headers: {}, socket: {} } as IncomingMessage;
    const mock = { getHeader: () => undefined, setHeader: () => {}, end: () => void ended.push(name) };
    sessions(made, mock as unknown as ServerResponse, () => {});
    await new Promise(resolve => setImmediate(resolve));
    mock.end();
  }
  assert.deepEqual(ended, ['first', 'second']);
});

it('a response made by hand, for a unit test, says as ever whether it was sent', async () => {
  const sessions = session({ secret, store: slow() });
  const made = Object.assign(new EventEmitter(), { headers: {}, socket: {} }) as unknown as IncomingMessage;
  const seen: unknown[] = [];
  let response: object = {};
  await new Promise<void>(resolve => {
    const mock = {
      headersSent: false,
      getHeader: () => undefined,
      setHeader: () => {},
      end(text: string) {
        seen.push(this.headersSent);
        this.headersSent = true;
        seen.push(text, this.headersSent, (this as { writableEnded?: boolean }).writableEnded);
        resolve();
      },
    };
    sessions(made, mock as unknown as ServerResponse, () => {
      sessions.of(made).visits = 1;
      mock.end('done');
      seen.push(mock.headersSent);
    });
    response = mock;
  });
  assert.deepEqual(seen, [true, false, 'done', true, undefined]);
  const plain = { value: true, writable: true, enumerable: true, configurable: true };
  assert.deepEqual(Object.getOwnPropertyDescriptor(response, 'headersSent'), plain);
});

describe('node: what writeHead is given', () => {
  /** The head of an answer, with its message. */
  async function get(url: string): Promise<http.IncomingMessage> {
    const [incoming] = await once(http.get(url, { agent: false }), 'response');
    return incoming.resume();
  }

  type Given = [second?: unknown, third?: unknown];
  const forms: Record<string, [given: Given, message: string, fields: Record<string, unknown>]> = {
    nothing: [[], 'Created', {}],
    'null, as if nothing': [[null, null], 'Created', {}],
    'a message': [['Fine'], 'Fine', {}],
    'a message and an object': [['Fine', { 'X-Mine': '1' }], 'Fine', { 'x-mine': '1' }],
    'a message and a list': [['Fine', ['X-Mine', '1', 'X-More', '2']], 'Fine', { 'x-mine': '1', 'x-more': '2' }],
    'no message and an object': [[undefined, { 'X-Mine': 1 }], 'Created', { 'x-mine': '1' }],
    'a list of pairs': [
      [
        [
          ['X-Mine', '1'],
          ['X-More', '2'],
        ],
      ],
      'Created',
      { 'x-mine': '1', 'x-more': '2' },
    ],
    'a list of one pair': [[[['X-Mine', '1']]], 'Created', { 'x-mine': '1' }],
    'a list with several values for a name': [[['X-Mine', ['1', '2']]], 'Created', { 'x-mine': '1, 2' }],
    'a list with a name in it more than once': [
      [['X-Mine', '1', 'x-mine', '2', 'X-Mine', ['3']]],
      'Created',
      { 'x-mine': '1, 2, 3' },
    ],
    'a list with a name in it more than once, and a value missing': [
      [['X-Mine', undefined, 'X-Mine', '2', 'x-mine', undefined]],
      'Created',
      { 'x-mine': '2' },
    ],
    'fields without a value, left out': [[{ 'X-Mine': undefined, 'Set-Cookie': undefined }], 'Created', {}],
    'fields that were set before': [[{ 'x-before': '1' }], 'Created', { 'x-before': '1' }],
    'one Set-Cookie line': [[{ 'Set-Cookie': 'a=1' }], 'Created', { 'set-cookie': ['a=1'] }],
  };
  const places = Object.entries(forms).flatMap(one => [true, false].map(setBefore => [...one, setBefore] as const));
  for (const [form, [given, message, fields], setBefore] of places) {
    it(`${form}${setBefore ? '' : ', where nothing was set before'}`, async context => {
      const served = await serve(
        session({ secret }).withSession((req, res) => {
          req.session.visits = 1;
          if (setBefore) res.setHeader('X-Before', '0');
          res.writeHead(201, ...(given as [])).end();
        }),
      );
      context.after(served.close);
      const incoming = await get(served.url);
      const own = Object.entries(incoming.headers).filter(([name]) => /^x-|set-cookie/.test(name));
      const headers = Object.fromEntries(own);
      const cookies = incoming.headers['set-cookie']?.filter(line => !line.startsWith('session='));
      assert.deepEqual([incoming.statusCode, incoming.statusMessage], [201, message]);
      const before = setBefore ? { 'x-before': '0' } : {};
      assert.deepEqual({ ...headers, 'set-cookie': cookies }, { ...before, 'set-cookie': [], ...fields });
    });
  }

  it('leaves a message that was set before', async context => {
    const served = await serve(
      session({ secret }).withSession((req, res) => {
        req.session.visits = 1;
        res.statusMessage = 'Fine';
        res.writeHead(201).end();
      }),
    );
    context.after(served.close);
    const incoming = await get(served.url);
    assert.equal(incoming.statusMessage, 'Fine');
  });

  it('is the status at once, and an error so told stands though the session could not be saved either', async context => {
    const seen: unknown[] = [];
    const served = await serve(
      session({ secret, store: broken() }).withSession((req, res) => {
        req.session.visits = 1;
        res.writeHead(500, { 'X-Mine': '1' });
        seen.push(res.statusCode);
        res.end('told already');
      }),
    );
    context.after(served.close);
    const { status, headers, body } = await request(served.url);
    assert.deepEqual([...seen, status, headers['x-mine'], body], [500, 500, '1', 'told already']);
  });
});
