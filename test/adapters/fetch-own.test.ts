// What is Fetch's alone: streams, responses that cannot be changed, errors that are thrown, proxies; and each framework's manner.
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Session } from 'madeleine';
import { requireLogin, requireUser, session } from 'madeleine/fetch';
import { memoryStore } from 'madeleine/memory';
import { faultStore, readSetCookie, sendRequest } from 'madeleine/testing';
import { serve } from '../support/serve.ts';
import { warningsIn } from '../support/warnings.ts';

const secret = 'a secret of more than thirty-two bytes';
/** What of Bun's own server is asked here. */
interface Bun {
  file(path: string): Blob;
  serve(options: { port: number; hostname: string; fetch: (request: Request) => Response | Promise<Response> }): {
    url: URL;
    stop(atOnce: boolean): void;
  };
}
const BUN = (globalThis as { Bun?: Bun }).Bun;

const late = () => faultStore(memoryStore(), () => ({ kind: 'delay', time: 5 }));

/** A request, with the cookies that this response left. */
function ask(path = '/', after?: Response, headers: Record<string, string> = {}): Request {
  const cookies = after?.headers.getSetCookie().map(line => readSetCookie(line)) ?? [];
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  return new Request(new URL(path, 'http://app.example'), { headers: { ...headers, ...(cookie ? { cookie } : {}) } });
}

function counter(options: Partial<Parameters<typeof session>[0]> = {}) {
  const remember = session({ secret, ...options });
  const visit = remember.withSession(request => {
    const present = remember.of(request);
    present.visits = (present.visits ?? 0) + 1;
    return new Response(String(present.visits));
  });
  return { ...remember, visit };
}

const text = async (response: Promise<Response> | Response): Promise<string> => (await response).text();

it('withSession without a handler says so at once', () => {
  const { withSession } = counter();
  assert.throws(() => withSession(undefined as never), {
    code: 'ERR_OPTION_INVALID',
    message: /not given a handler.*withSession\(request =>/,
  });
});

it('a handler that gives back no Response gets an error that says so, and what was stored already is saved', async () => {
  const { visit, withSession, of, sessions } = counter();
  const first = await visit(ask());
  const failures: unknown[] = [];
  sessions.on('failed', ({ error }) => failures.push(error));
  // The last is what h3 2 makes a Response of later, and no Response yet.
  for (const given of [{ visits: 1 }, undefined, null, 'text', { headers: new Headers(), body: 'text' }]) {
    const loader = withSession(request => {
      of(request)['given'] = String(given);
      return given as unknown as Response;
    });
    await assert.rejects(loader(ask('/', first)), { code: 'ERR_NOT_A_RESPONSE' });
    assert.equal(
      await text(withSession(request => Response.json(of(request)['given']))(ask('/', first))),
      `"${given}"`,
    );
  }
  assert.deepEqual(failures, []);
});

describe('a stream', () => {
  for (const [speed, open] of Object.entries({ 'at once': memoryStore, late })) {
    it(`is saved before its first byte, and again at its end (${speed})`, async () => {
      const { visit, withSession, of } = counter({ store: open() });
      const first = await visit(ask());
      let write = (_text: string) => {};
      let end = () => {};
      const events = withSession(request => {
        const present = of(request);
        present['progress'] = 1;
        const body = new ReadableStream({
          start(controller) {
            write = part => controller.enqueue(new TextEncoder().encode(part));
            end = () => controller.close();
          },
        });
        write('first');
        const flush = () => {
          present['progress'] = 3;
        };
        return new Response(body.pipeThrough(new TransformStream({ flush })), {
          headers: { 'Content-Type': 'text/event-stream' },
        });
      });
      const progress = withSession(request => Response.json(of(request)['progress']));
      const response = await events(ask('/', first));
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), 'first');
      assert.equal(await text(progress(ask('/', first))), '1');
      end();
      assert.equal((await reader.read()).done, true);
      assert.equal(await text(progress(ask('/', first))), '3');
    });
  }

  it('whose client goes away is cancelled, and what its writer changed is saved', async () => {
    const { visit, withSession, of } = counter();
    const first = await visit(ask());
    const events = withSession(request => {
      const present = of(request);
      return new Response(
        new ReadableStream({
          pull: controller => controller.enqueue(new Uint8Array(1)),
          cancel: () => {
            present['left'] = true;
          },
        }),
      );
    });
    await (await events(ask('/', first))).body?.cancel();
    assert.equal(await text(withSession(request => Response.json(of(request)['left']))(ask('/', first))), 'true');
  });

  it('whose client went away: what is changed then is saved as well, and nobody is warned', async context => {
    const warnings = warningsIn(context);
    const { visit, withSession, of, sessions } = counter();
    const first = await visit(ask());
    let change = (_progress: number) => {};
    const events = withSession(request => {
      void of(request).visits;
      change = progress => {
        of(request)['progress'] = progress;
      };
      return new Response(new ReadableStream({ pull: controller => controller.enqueue(new Uint8Array(1)) }));
    });
    const progress = withSession(request => Response.json(of(request)['progress']));
    await (await events(ask('/', first))).body?.cancel();
    for (const step of [1, 2]) {
      change(step);
      await setImmediate();
      assert.equal(await text(progress(ask('/', first))), String(step));
    }
    // One that is begun only then has no cookie that could reach anybody.
    const created: unknown[] = [];
    sessions.on('created', event => created.push(event));
    await (await events(ask())).body?.cancel();
    change(3);
    await setImmediate();
    assert.deepEqual([created, warnings], [[], []]);
  });

  // tRPC and GraphQL Yoga run what asks for the session only when the response is on its way.
  it('whose writer is the first to ask for the session: its changes are saved, and a warning says to ask before', async () => {
    const { visit, withSession, of } = counter();
    const first = await visit(ask());
    const warned = new Promise<Error & { code?: string }>(resolve => process.once('warning', resolve));
    let change = (_progress: number) => {};
    const events = withSession(request => {
      change = progress => {
        of(request)['progress'] = progress;
      };
      return new Response(new ReadableStream({ pull: controller => controller.close() }, { highWaterMark: 0 }));
    });
    const progress = withSession(request => Response.json(of(request)['progress']));
    const response = await events(ask('/', first));
    for (const step of [1, 2]) {
      change(step);
      await setImmediate();
      assert.equal(await text(progress(ask('/', first))), String(step));
    }
    assert.equal(await response.text(), '');
    const { code, message } = await warned;
    assert.equal(code, 'MADELEINE_LATE_CHANGE');
    assert.match(message, /ask for it before, of\(request\)/);
  });

  it('breaks off when the save at its end fails, and the event tells', async () => {
    const store = faultStore(memoryStore());
    const { visit, withSession, of, sessions } = counter({ store });
    const first = await visit(ask());
    const failures: unknown[] = [];
    sessions.on('failed', ({ error }) => failures.push((error as { code: string }).code));
    const events = withSession(request => {
      const present = of(request);
      const source = {
        pull(controller: ReadableStreamDefaultController) {
          present['progress'] = 1;
          store.plan(({ operation }) => (operation === 'replace' ? { kind: 'fail' } : null));
          controller.close();
        },
      };
      return new Response(new ReadableStream(source, { highWaterMark: 0 }));
    });
    await assert.rejects((await events(ask('/', first))).text(), { code: 'ERR_STORE_FAILED' });
    assert.deepEqual(failures, ['ERR_STORE_FAILED']);
  });

  it('that breaks off by itself does so for the client, and the session is saved', async () => {
    const { visit, withSession, of } = counter();
    const first = await visit(ask());
    const events = withSession(request => {
      const present = of(request);
      const source = {
        pull() {
          present['broken'] = true;
          throw new Error('broken');
        },
      };
      return new Response(new ReadableStream(source, { highWaterMark: 0 }));
    });
    await assert.rejects((await events(ask('/', first))).text(), { message: 'broken' });
    assert.equal(await text(withSession(request => Response.json(of(request)['broken']))(ask('/', first))), 'true');
  });
});

describe('the answer', () => {
  it('a change after it was given back, of a session that was asked for before, is saved too', async () => {
    for (const body of [null, 'text']) {
      const { visit, withSession, of } = counter();
      const first = await visit(ask());
      let later = () => {};
      const answer = withSession(request => {
        void of(request).visits;
        later = () => {
          of(request)['mailed'] = true;
        };
        return new Response(body);
      });
      await text(answer(ask('/', first)));
      later();
      await setImmediate();
      assert.equal(await text(withSession(request => Response.json(of(request)['mailed']))(ask('/', first))), 'true');
    }
  });

  it('a redirect, whose fields cannot be changed, carries the cookie', async () => {
    const { withSession, of } = counter();
    const enter = withSession(async request => {
      await of(request).login('ada');
      return Response.redirect('http://app.example/account', 303);
    });
    const response = await enter(ask());
    assert.deepEqual([response.status, response.headers.get('location')], [303, 'http://app.example/account']);
    assert.match(response.headers.getSetCookie().join(), /^session=/);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.equal(response.headers.get('vary'), 'Cookie');
  });

  it('of a handler that does not look is passed on as it is; so is one that no field can be added to', async () => {
    const { withSession, of } = counter();
    const untouched = new Response('ok');
    assert.equal(await withSession(() => untouched)(ask()), untouched);
    const error = Response.error();
    const look = withSession(request => {
      void of(request).visits;
      return error;
    });
    assert.equal(await look(ask()), error);
  });

  it('a save that fails: a bare 503, nothing of the success, and the event tells; data that cannot be kept: 500', async () => {
    const store = faultStore(memoryStore(), ({ operation }) => (operation === 'create' ? { kind: 'fail' } : null));
    const { visit, withSession, of, sessions } = counter({ store });
    const failures: unknown[] = [];
    sessions.on('failed', ({ error }) => failures.push((error as { code: string }).code));
    const response = await visit(ask());
    assert.deepEqual([response.status, await response.text()], [503, 'Service Unavailable\n']);
    assert.deepEqual(response.headers.getSetCookie(), []);
    const wrong = withSession(request => {
      of(request)['date'] = new Map();
      return new Response('ok');
    });
    assert.equal((await wrong(ask())).status, 500);
    assert.deepEqual(failures, ['ERR_STORE_FAILED', 'ERR_DATA_NOT_JSON']);
  });

  it('on Bun.serve what is no stream keeps its type and its length, a file its ranges', {
    skip: BUN === undefined,
  }, async () => {
    const { withSession, of } = counter();
    const bodies: Record<string, () => ConstructorParameters<typeof Response>[0]> = {
      '/text': () => 'Zoë',
      '/image': () => new Blob(['<svg/>'], { type: 'image/svg+xml' }),
      '/form': () => new URLSearchParams({ a: 'b' }),
      '/file': () => (BUN as Bun).file(import.meta.filename),
    };
    const answer = (request: Request) => new Response(bodies[new URL(request.url).pathname]?.());
    const withSeen = withSession((request: Request) => {
      of(request)['seen'] = true;
      return answer(request);
    });
    const seen: unknown[][] = [];
    for (const fetch of [answer, withSeen]) {
      const server = (BUN as Bun).serve({ port: 0, hostname: '127.0.0.1', fetch });
      for (const path of Object.keys(bodies)) {
        const got = await sendRequest(new URL(path, server.url).href, { headers: { range: 'bytes=0-1' } });
        seen.push([path, got.status, got.body, ...['content-type', 'content-length'].map(name => got.headers[name])]);
        if (fetch !== answer) assert.equal(got.setCookies.length, 1);
      }
      server.stop(true);
    }
    assert.deepEqual(seen.slice(4), seen.slice(0, 4));
    assert.equal(seen[0]?.[3], 'text/plain;charset=utf-8');
    assert.equal(seen[3]?.[1], 206);
  });

  it('to somebody whose session cannot be read just now is in no cache', async () => {
    const store = faultStore(memoryStore());
    const { visit, withSession, of } = counter({ store, onStoreError: 'anonymous' });
    const first = await visit(ask());
    store.plan(({ operation }) => (operation === 'read' ? { kind: 'fail' } : null));
    const look = withSession(request => Response.json(of(request).about.unavailable));
    const response = await look(ask('/', first));
    assert.deepEqual([response.headers.get('cache-control'), await response.json()], ['no-store', true]);
  });

  it('what is thrown goes on: a Response with the cookie, an error after the save of what is stored', async () => {
    const { visit, withSession, of } = counter();
    const thrower = withSession((request: Request) => {
      of(request)['seen'] = true;
      throw Response.redirect('http://app.example/login', 303);
    });
    const thrown: unknown = await thrower(ask()).catch(response => response);
    assert.ok(thrown instanceof Response);
    assert.equal(thrown.headers.getSetCookie().length, 1);

    const first = await visit(ask());
    const failing = withSession(request => {
      of(request)['seen'] = 'before the error';
      throw new Error('of the application');
    });
    await assert.rejects(failing(ask('/', first)), { message: 'of the application' });
    assert.equal(
      await text(withSession(request => Response.json(of(request)['seen']))(ask('/', first))),
      '"before the error"',
    );
  });

  it('where the session cannot be saved after a handler threw, the handler’s error goes on, and the event tells', async () => {
    const store = faultStore(memoryStore());
    const { visit, withSession, of, sessions } = counter({ store });
    const first = await visit(ask());
    const failures: unknown[] = [];
    sessions.on('failed', ({ error }) => failures.push((error as { code: string }).code));
    store.plan(({ operation }) => (operation === 'replace' ? { kind: 'fail' } : null));
    const failing = withSession(request => {
      of(request)['seen'] = true;
      throw new Error('of the application');
    });
    await assert.rejects(failing(ask('/', first)), { message: 'of the application' });
    assert.deepEqual(failures, ['ERR_STORE_FAILED']);
  });

  for (const [how, begin] of Object.entries({
    'by a login': (session: Session) => session.login('ada'),
    'by what it holds': (session: Session) => {
      session.visits = 1;
    },
  })) {
    it(`a session begun ${how} by a handler that throws is nobody’s: a warning says so`, async () => {
      const { withSession, of } = counter();
      const warned = new Promise<Error & { code?: string }>(resolve => process.once('warning', resolve));
      const entering = withSession(async request => {
        await begin(of(request));
        throw new Error('NEXT_REDIRECT');
      });
      await assert.rejects(entering(ask()), { message: 'NEXT_REDIRECT' });
      const { code, message } = await warned;
      assert.equal(code, 'MADELEINE_LATE_SESSION');
      assert.match(message, /then threw.*Give back a Response/);
    });
  }
});

describe('the request', () => {
  it('https by its URL; forwarded only by trusted proxies, and never the left-most entry', async () => {
    const name = async (url: string, proto?: string, trustProxy = 0) => {
      const { visit } = counter({ trustProxy } as object);
      const headers: Record<string, string> = proto ? { 'x-forwarded-proto': proto } : {};
      const response = await visit(new Request(url, { headers }));
      return readSetCookie(response.headers.getSetCookie()[0] as string).name;
    };
    assert.equal(await name('https://app.example/'), '__Host-session');
    assert.equal(await name('http://app.example/'), 'session');
    assert.equal(await name('http://app.example/https:?https:'), 'session');
    assert.equal(await name('http://app.example/', 'https'), 'session');
    assert.equal(await name('http://app.example/', 'HTTPS', 1), '__Host-session');
    assert.equal(await name('http://app.example/', 'https', 1), '__Host-session');
    assert.equal(await name('http://app.example/', 'https, http', 1), 'session');
    assert.equal(await name('http://app.example/', 'https, http', 2), '__Host-session');
    assert.equal(await name('https://app.example/', 'https, http', 1), 'session');
    assert.equal(await name('http://app.example/', 'https, http, http', 2), 'session');
    assert.throws(() => session({ secret, trustProxy: -1 }), { code: 'ERR_OPTION_INVALID' });
  });

  it('tells of the device what it says itself, cut, and from where only what a trusted proxy saw', async () => {
    const deviceOf = async (trustProxy: number, headers: Record<string, string>) => {
      const { withSession, of, sessions } = session({ secret, trustProxy });
      const login = withSession(async request => {
        await of(request).login('ada');
        return new Response();
      });
      await login(ask('/', undefined, headers));
      return (await sessions.list('ada'))[0]?.device;
    };
    const told = { 'user-agent': 'x'.repeat(300), 'x-forwarded-for': '6.6.6.6, 203.0.113.9' };
    assert.deepEqual(await deviceOf(0, {}), {});
    assert.deepEqual(await deviceOf(0, told), { userAgent: 'x'.repeat(256) });
    assert.deepEqual(await deviceOf(1, told), { userAgent: 'x'.repeat(256), address: '203.0.113.9' });
  });

  it('a guard waits for its predicate, and asks that session which handlers hold', async () => {
    const outer = session({ secret, name: 'outer' });
    const inner = session({ secret, name: 'inner' });
    for (const [loggedIn, allowed, expected] of [
      [outer, true, 401],
      [inner, false, 403],
      [inner, true, 200],
    ] as const) {
      const guarded = requireUser(async () => allowed)(() => new Response('reached'));
      const login = async (request: Request) => {
        await loggedIn.of(request).login('ada');
        return guarded(request);
      };
      const response = await outer.withSession(inner.withSession(login))(ask());
      assert.equal(response.status, expected);
    }
  });

  it('without a session: of() and a guard name the line', async () => {
    const { of } = counter();
    assert.throws(() => of(ask()), {
      code: 'ERR_SESSION_MISSING',
      message: /fetch-own\.test\.js:\d+.*withSession\(handler\).*no copy/,
    });
    const guarded = requireLogin()(() => new Response('ok'));
    assert.throws(() => requireLogin((() => new Response()) as never), /requireLogin\(\)\(handler\)/);
    await assert.rejects(guarded(ask()), {
      code: 'ERR_SESSION_MISSING',
      message: /fetch-own\.test\.js:\d+.*withSession\(handler\)/,
    });
  });

  it('a Request is itself, whatever else it has: that of Next.js for a proxy refuses to be asked for a `request`', async () => {
    class NextRequestHint extends Request {
      get request(): Request {
        throw new Error('accepts an async API directly');
      }
    }
    const hint = (after?: Response) => new NextRequestHint(ask('/', after));
    const { visit, withSession, of } = counter();
    const first = await visit(hint());
    assert.equal(await text(visit(hint(first))), '2');
    const guarded = withSession(requireLogin()(() => new Response('passed')));
    assert.equal((await guarded(hint(first))).status, 401);
    const login = withSession(async request => {
      await of(request).login('ada');
      return new Response();
    });
    assert.equal(await text(guarded(hint(await login(hint(first))))), 'passed');
  });

  it('is found in an event that has it as `req`, as that of h3 2 does', async () => {
    const { withSession, of } = counter();
    const visit = withSession((event: { req: Request; headers: Headers }) => {
      of(event).visits = 1;
      return new Response('ok');
    });
    const request = ask();
    const response = await visit({ req: request, headers: request.headers });
    assert.equal(response.headers.getSetCookie().length, 1);
  });

  it('that is none: an error says so, where a client could wait for a Response that nobody sends', async context => {
    const { withSession, of, flash } = counter();
    for (const given of [undefined, null, 'text', {}, { request: {} }, { req: { headers: {} } }]) {
      const wrong = given as unknown as Request;
      const code = { code: 'ERR_NOT_A_REQUEST' };
      await assert.rejects(withSession(() => new Response())(wrong), code);
      await assert.rejects(requireLogin()(() => new Response())(wrong), code);
      assert.throws(() => of(wrong), code);
      assert.throws(() => flash(wrong, 'info'), code);
    }
    const pages = withSession(() => new Response()) as unknown as (req: IncomingMessage) => Promise<Response>;
    const served = await serve((req, res) => void pages(req).catch(error => res.end(error.message)));
    context.after(served.close);
    assert.match((await sendRequest(served.url)).body, /Node's \(req, res\) are for madeleine\/express/);
  });

  it('wrapped twice has one session; two sessions need two names', async () => {
    const { visit, withSession, of } = counter();
    const both = withSession(request => visit(request));
    const first = await both(ask());
    assert.equal(first.headers.getSetCookie().length, 1);
    assert.equal(await text(both(ask('/', first))), '2');

    const admin = session<{ level: number }>({ secret, name: 'admin' });
    const nested = withSession(
      admin.withSession(request => {
        of(request).visits = 1;
        admin.of(request).level = 7;
        return new Response('ok');
      }),
    );
    const names = (await nested(ask())).headers.getSetCookie().map(line => readSetCookie(line).name);
    assert.deepEqual(names.sort(), ['admin', 'session']);
    const same = session({ secret });
    assert.equal((await withSession(same.withSession(() => new Response('ok')))(ask())).status, 500);
  });

  it('turns end with the response, whatever became of it', async () => {
    const { visit, withSession } = counter({ concurrency: 'serialize', storeTimeout: '1h' });
    const first = await visit(ask());
    await assert.rejects(withSession(() => Promise.reject(new Error('thrown')))(ask('/', first)));
    assert.equal(await text(visit(ask('/', first))), '2');
    assert.equal(await text(visit(ask('/', first))), '3');
  });
});

describe('flash messages', () => {
  it('are kept by one request and shown once by the next, of one type or of all', async () => {
    const { withSession, flash } = session({ secret });
    const keep = withSession(request => {
      const kept = [
        flash(request, 'info', 'Saved %s.', 'tea'),
        flash(request, 'info', 'Again.'),
        flash(request, 'error', 'No.'),
      ];
      return Response.json(kept);
    });
    const show = withSession(request => Response.json([flash(request, 'info'), flash(request)]));
    const kept = await keep(ask());
    assert.deepEqual(await kept.json(), [1, 2, 1]);
    assert.deepEqual(await (await show(ask('/', kept))).json(), [['Saved tea.', 'Again.'], { error: ['No.'] }]);
    assert.deepEqual(await (await show(ask('/', kept))).json(), [[], {}]);
  });

  it('of the request that a framework wraps, and of no request without a session', async () => {
    const { withSession, flash } = session({ secret });
    const action = withSession((event: { request: Request }) => Response.json(flash(event, 'info', 'Saved.')));
    assert.equal(await (await action({ request: ask() })).json(), 1);
    assert.throws(() => flash(ask(), 'info'), { code: 'ERR_SESSION_MISSING' });
  });
});
