// docs/fetch.md: each recipe is run as it stands, by calling what it exports.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { readSetCookie } from 'madeleine/testing';
import { WebSocket } from 'ws';
import { Client, request } from '../support/client.ts';
import { IN_REPOSITORY, temporaryFolder } from '../support/temporary-files.ts';

process.env['SESSION_SECRET'] = 'a secret of more than thirty-two bytes';
const folder = temporaryFolder(IN_REPOSITORY);

type Handler = (...args: unknown[]) => Promise<Response>;
type Exports = Record<string, Handler>;

const text = readFileSync('docs/fetch.md', 'utf8');

/** The js block below a heading, as a module. @param more is put after it */
async function recipe(heading: string, more = '', change = (code: string): string => code): Promise<Exports> {
  const section = text.slice(text.indexOf(`## ${heading}\n`));
  const [, code] = /^```js\n([\s\S]*?)^```/m.exec(section) as unknown as [string, string];
  const file = path.join(folder, heading === 'One file for all' ? 'session.js' : `${heading.replace(/\W+/g, '-')}.js`);
  writeFileSync(file, `${change(code)}\n${more}`);
  return (await import(pathToFileURL(file).href)) as Exports;
}

const inMemory = (code: string): string => code.replace("'sessions.db'", "':memory:'");

/** A browser that calls handlers. */
function browser() {
  let cookie = '';
  return async (
    handler: Handler | undefined,
    init: RequestInit = {},
    wrap: (asked: Request) => unknown[] = asked => [asked],
  ) => {
    const headers: Record<string, string> = cookie ? { cookie } : {};
    const response = await (handler as Handler)(...wrap(new Request('http://app.example/', { ...init, headers })));
    for (const line of response.headers.getSetCookie()) {
      const { name, value } = readSetCookie(line);
      cookie = `${name}=${value}`;
    }
    return response;
  };
}

it('One file for all, Next.js', async () => {
  await recipe('One file for all', '', inMemory);
  const { GET, POST } = await recipe('Next.js');
  const call = browser();
  const posted = await call(POST, { method: 'POST', body: 'tea' }, asked => [asked, { params: Promise.resolve({}) }]);
  assert.deepEqual([posted.status, posted.headers.get('location')], [303, '/cart']);
  await call(POST, { method: 'POST', body: 'cake' });
  assert.deepEqual(await (await call(GET)).json(), ['tea', 'cake']);
});

it('The proxy of Next.js', async () => {
  await recipe('One file for all', '', inMemory);
  const login =
    'export const login = withSession(async request => { await of(request).login("ada"); return new Response(); });';
  const server = "import { NextResponse } from 'next/server';";
  const { proxy, login: enter } = await recipe('The proxy of Next.js', login, code => {
    assert.ok(code.includes(server));
    return code.replace(
      server,
      "const NextResponse = { next: () => new Response(null, { headers: { 'x-middleware-next': '1' } }), redirect: Response.redirect };",
    );
  });
  const call = browser();
  assert.equal((await call(proxy)).headers.get('location'), 'http://app.example/login');
  await call(enter);
  assert.equal((await call(proxy)).headers.get('x-middleware-next'), '1');
});

it('Remix, React Router', async () => {
  await recipe('One file for all', '', inMemory);
  const { loader, action } = await recipe('Remix, React Router');
  const call = browser();
  const wrap = (asked: Request) => [{ request: asked, params: {}, context: {} }];
  const form = (password: string) => ({
    method: 'POST',
    body: new URLSearchParams({ user: 'ada', password }).toString(),
  });
  const refused: unknown = await call(action, form('wrong'), wrap).catch(thrown => thrown);
  assert.equal((refused as Response).status, 401);
  assert.equal((await call(action, form('right'), wrap)).status, 303);
  assert.deepEqual(await (await call(loader, {}, wrap)).json(), { user: 'ada' });
});

it('React Router with middleware', async () => {
  await recipe('One file for all', '', inMemory);
  const router = "import { createContext } from 'react-router';";
  const { middleware, loader } = (await recipe('React Router with middleware', '', code => {
    assert.ok(code.includes(router));
    return code.replace(router, 'const createContext = () => ({});');
  })) as unknown as { middleware: [Handler]; loader: (page: unknown) => Promise<unknown> };
  const call = browser();
  const wrap = (asked: Request) => {
    const page = { request: asked, params: {}, context: new Map() };
    // Each loader has a Request of its own.
    const load = () => loader({ ...page, request: new Request(asked) });
    return [page, async () => Response.json(await Promise.all([load(), load()]))];
  };
  const first = await call(middleware[0], {}, wrap);
  assert.deepEqual([first.headers.getSetCookie().length, await first.json()], [1, [{ visits: 1 }, { visits: 2 }]]);
  assert.deepEqual(await (await call(middleware[0], {}, wrap)).json(), [{ visits: 3 }, { visits: 4 }]);
});

it('SvelteKit', async () => {
  await recipe('One file for all', '', inMemory);
  const { handle, PUT, look } = await recipe(
    'SvelteKit',
    'export const look = event => Response.json(of(event).theme);',
  );
  const call = browser();
  const through = (endpoint: Handler | undefined) => (asked: Request) => [
    { event: { request: asked }, resolve: endpoint },
  ];
  assert.equal((await call(handle, { method: 'PUT', body: 'dark' }, through(PUT))).status, 204);
  assert.equal(await (await call(handle, {}, through(look))).json(), 'dark');
});

it('Astro', async () => {
  await recipe('One file for all', '', inMemory);
  const { onRequest, GET } = await recipe('Astro');
  const call = browser();
  const through = (asked: Request) => {
    const context = { request: asked };
    return [context, () => GET?.(context)];
  };
  await call(onRequest, {}, through);
  assert.equal(await (await call(onRequest, {}, through)).json(), 2);
});

it('Server-sent events', async () => {
  await recipe('One file for all', '', inMemory);
  const start = 'export const start = withSession(request => Response.json((of(request).progress ??= 0)));';
  const { GET, start: progress } = await recipe('Server-sent events', start);
  const call = browser();
  await call(progress);
  const response = await call(GET);
  assert.equal(await response.text(), 'data: 50\n\ndata: 100\n\n');
  assert.equal(await (await call(progress)).json(), 100);
});

it('Hono', async () => {
  const { default: app } = (await recipe('Hono')) as unknown as { default: { fetch: Handler } };
  const call = browser();
  assert.equal(await (await call(app.fetch)).text(), 'Visit 1');
  assert.equal(await (await call(app.fetch)).text(), 'Visit 2');
  assert.equal((await app.fetch(new Request('http://app.example/account'))).status, 401);
});

it('WebSockets', async () => {
  const { server } = (await recipe('WebSockets', 'export { server };', code =>
    code.replace('listen(3000)', "listen(0, '127.0.0.1')"),
  )) as unknown as { server: Server };
  if (!server.listening) await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new Client(url);
  assert.equal((await request(`${url}/nothing`)).status, 404);
  await client.post('/login/ada');
  const socket = new WebSocket(url.replace('http', 'ws'), { headers: { cookie: client.cookieHeader() } });
  const [hello] = await once(socket, 'message');
  assert.equal(String(hello), 'Hello ada');
  const closed = once(socket, 'close');
  socket.close();
  await closed;
  const stranger = new WebSocket(url.replace('http', 'ws'));
  const [code, reason] = await once(stranger, 'close');
  assert.deepEqual([code, String(reason)], [1008, 'Log in first.']);
  server.close();
});
