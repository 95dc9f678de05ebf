// README and docs show only code that runs: each js block is run, with the world that it takes for granted around it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { IN_REPOSITORY, temporaryFolder } from './support/temporary-files.ts';

const folder = temporaryFolder(IN_REPOSITORY);

/** What the blocks take for granted; a block's own imports and declarations win. */
const WORLD: Array<[name: string, code: string]> = [
  ['express', "import express from 'express';"],
  ['session', "import { session } from 'madeleine/express';"],
  ['memoryStore', "import { memoryStore } from 'madeleine/memory';"],
  ['store', 'const store = memoryStore();'],
  ['app', 'const app = express();'],
  ['checkPassword', "const checkPassword = async form => (form?.password === 'right' ? { id: 7 } : null);"],
];

/** After a block: its app is served, and asked as its readers would. */
const VISIT = `
  const { createServer } = await import('node:http');
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  const base = 'http://127.0.0.1:' + server.address().port;
  let jar = '';
  const ask = async (method, path, body, more) => {
    const headers = { ...more, ...(jar ? { cookie: jar } : {}), 'content-type': 'application/json' };
    const answer = await fetch(base + path, { method, headers, redirect: 'manual', ...(body ? { body: JSON.stringify(body) } : {}) });
    for (const line of answer.headers.getSetCookie()) jar = line.split(';')[0];
    const [location, cleared] = ['location', 'clear-site-data'].map(name => answer.headers.get(name));
    return { status: answer.status, text: await answer.text(), location, cleared };
  };
`;

interface Block {
  name: string;
  code: string;
}

function blocksOf(file: string): Block[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^```js\n([\s\S]*?)^```/gm)].map((match, i) => ({
    name: `${file} block ${i + 1}`,
    code: match[1] as string,
  }));
}

function run({ name, code }: Block, visit = ''): string {
  const declared = (known: string) =>
    new RegExp(`(?:const|let) ${known}\\b|import (?:${known}\\b|\\{[^}]*\\b${known}\\b)`).test(code);
  const needed = WORLD.filter(([known]) => !declared(known));
  const prelude = needed.map(([, line]) => line).join('\n');
  const mount =
    /app\.use\(session|session\(\{/.test(code) || !/req\.session/.test(code)
      ? ''
      : 'app.use(express.json(), session({ secret, store }));\n';
  const file = path.join(folder, `${name.replace(/\W+/g, '-')}.mjs`);
  const serving = visit ? `${VISIT}${visit}\nserver.close(); server.closeAllConnections();` : '';
  writeFileSync(file, `const secret = process.env.SESSION_SECRET;\n${prelude}\n${mount}${code}\n${serving}`);
  const secret = 'a secret of more than thirty-two bytes';
  const env = { ...process.env, SESSION_SECRET: secret, COOKIE_SECRET: secret };
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.resolve(file)], {
    env,
    encoding: 'utf8',
    cwd: folder,
    timeout: 20_000,
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** A heading's anchor, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
const proseOf = (file: string): string => readFileSync(file, 'utf8').replace(/^```[\s\S]*?^```/gm, '');

it('each link leads to a file that is there, and to a heading in it', () => {
  const pages = ['README.md', 'CHANGELOG.md', ...['docs', 'bench'].flatMap(inFolder)];
  function inFolder(folder: string): string[] {
    return readdirSync(folder)
      .filter(file => file.endsWith('.md'))
      .map(file => path.join(folder, file));
  }
  const astray = pages.flatMap(page =>
    [...proseOf(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].filter(([, link = '']) => {
      const [file, anchor] = link.split('#');
      const target = file ? path.join(path.dirname(page), file) : page;
      if (!existsSync(target)) return true;
      const headings = anchor ? [...proseOf(target).matchAll(/^#+ (.*)$/gm)] : [];
      return anchor && !headings.some(([, heading = '']) => anchorOf(heading) === anchor);
    }),
  );
  assert.deepEqual(
    astray.map(([link]) => link),
    [],
  );
});

describe('README.md', () => {
  const [quick, login, cookies] = blocksOf('README.md') as [Block, Block, Block];

  it('is under 150 lines', () => assert.ok(readFileSync('README.md', 'utf8').split('\n').length < 150));

  it('the first example keeps a cart', () => {
    const out = run(
      { ...quick, code: quick.code.replace('app.listen(3000);', '') },
      "await ask('POST', '/cart/tea'); await ask('POST', '/cart/cake'); console.log((await ask('GET', '/cart')).text);",
    );
    assert.equal(out, '["tea","cake"]\n');
  });

  it('logging in and out', () => {
    const out = run(
      login,
      `const page = { accept: 'text/html' };
       const seen = [(await ask('GET', '/account', undefined, page)).location, (await ask('POST', '/login', { password: 'wrong' })).status];
       seen.push((await ask('POST', '/login?returnTo=/account', { password: 'right' })).location);
       seen.push((await ask('GET', '/account')).text);
       await ask('POST', '/logout');
       seen.push((await ask('GET', '/account')).status);
       console.log(seen.join(' | '));`,
    );
    assert.equal(out, '/login?returnTo=%2Faccount | 401 | /account | Account of 7 | 401\n');
  });

  it('signed cookies', () => {
    assert.equal(
      run(cookies, "await ask('GET', '/set-cookie'); console.log((await ask('GET', '/read-cookie')).text);"),
      '{"username":"shree"}\n',
    );
  });

  it('its types are those that test/types/sessions.ts compiles', () => {
    assert.match(readFileSync('README.md', 'utf8'), /declare module 'madeleine' \{\n {2}interface SessionData/);
  });
});

describe('docs/', () => {
  it('cookies.md: in Express, and declared once', () => {
    const [inExpress, declared] = blocksOf('docs/cookies.md') as [Block, Block];
    assert.equal(
      run(inExpress, "await ask('GET', '/set'); console.log((await ask('GET', '/read')).text);"),
      '{"username":"shree"}\n',
    );
    assert.equal(run(declared), "dark [ { item: 'tea', quantity: 2 } ]\n");
  });

  it('express-session.md: what it begins with', () => {
    const [start] = blocksOf('docs/express-session.md') as [Block];
    const twice = "await ask('GET', '/'); console.log((await ask('GET', '/')).text);";
    assert.equal(run(start, twice), 'Visit 2\n');
  });

  it('sessions.md: mounting, what cannot be read, devices, how many there may be, and all sessions', () => {
    const [mounting, unreadable, devices, limited, all] = blocksOf('docs/sessions.md') as [
      Block,
      Block,
      Block,
      Block,
      Block,
    ];
    run(mounting, "console.log((await ask('GET', '/')).status);");
    const fail = `app.post('/in', async (req, res) => { await req.session.login('ada'); res.end(); });
      await ask('POST', '/in'); console.log((await ask('GET', '/')).text);
      store.read = () => { throw new Error('down'); };
      console.error = text => console.log(text); console.log((await ask('GET', '/')).text);`;
    assert.equal(
      run(unreadable, fail),
      'Welcome, ada.\nA session cannot be read:\nWe cannot see just now who you are.\n',
    );
    const visit = `app.post('/in', async (req, res) => { await req.session.login('ada'); res.end(); });
      console.log((await ask('GET', '/devices')).status, (await ask('POST', '/devices/others')).status);
      await ask('POST', '/in'); const first = jar; jar = ''; await ask('POST', '/in');
      console.log(JSON.parse((await ask('GET', '/devices')).text).length);
      await ask('POST', '/devices/others');
      console.log(JSON.parse((await ask('GET', '/devices')).text).length);`;
    assert.equal(run(devices, visit), '401 401\n2\n1\n');
    const crowd = `app.get('/who', (req, res) => res.send(req.session.about.userId ?? 'nobody'));
      const who = async cookies => { jar = cookies; return (await ask('GET', '/who')).text; };
      const jars = [];
      for (let i = 0; i < 5; i++) { jar = ''; await ask('POST', '/login', { password: 'right' }); jars.push(jar); }
      const five = await Promise.all(jars.map(who));
      const cleared = (await ask('POST', '/logout')).cleared;
      console.log(...five, cleared, await who(jars[4]));`;
    assert.equal(run(limited, crowd), 'nobody nobody 7 7 7 "cache", "storage" nobody\n');
    const look = `app.post('/in', async (req, res) => { await req.session.login('ada'); res.end(); });
      await ask('POST', '/in');
      console.log((await ask('GET', '/visitors')).text, JSON.parse((await ask('GET', '/health')).text).ok);
      store.read = () => { throw new Error('down'); };
      console.log(JSON.parse((await ask('GET', '/health')).text).ok);`;
    assert.equal(run(all, look), '{"known":1} true\nfalse\n');
  });

  it('stores.md: a store for express-session, copying, moving', () => {
    const blocks = blocksOf('docs/stores.md');
    const outputOf = (text: string) => run(blocks.find(({ code }) => code.includes(text)) as Block);
    outputOf('madeleine/classic');
    assert.equal(outputOf('copySessions'), '0 null\n0 sessions copied\n');
    assert.equal(outputOf('movingStore'), '0 sessions are still in the old store\n');
  });

  it('stores.md: a sealed cookie with a denylist', () => {
    const block = blocksOf('docs/stores.md').find(({ code }) => code.includes('sealedCookieStore')) as Block;
    const visit = `app.post('/in', async (req, res) => { await req.session.login('ada'); res.end(); });
      app.post('/out', async (req, res) => { await req.session.logout(); res.end(); });
      app.get('/', (req, res) => res.json(req.session.about.userId));
      await ask('POST', '/in'); const copy = jar; console.log((await ask('GET', '/')).text);
      await ask('POST', '/out'); jar = copy; console.log((await ask('GET', '/')).text);`;
    assert.equal(run(block, visit), '"ada"\nnull\n');
  });

  it('frameworks.md: plain Node, Fastify, Koa; guards.md: who may pass', () => {
    // The second, connect and polka, is run in test/adapters/hosts-docs.test.ts, as is NestJS.
    const [node, , fastify, koa] = blocksOf('docs/frameworks.md') as [Block, Block, Block, Block];
    const [guards] = blocksOf('docs/guards.md') as [Block];
    const twice = `const { text, get } = { text: async answer => answer.text(), get: (path, cookie = '') => fetch(base + path, { headers: { cookie }, redirect: 'manual' }) };
      const first = await get('/'); const cookie = first.headers.getSetCookie()[0].split(';')[0];
      console.log(await text(first), await text(await get('/', cookie)));`;
    const nodeCode = `${node.code.replace('3000', "0, '127.0.0.1'")}
      await new Promise(resolve => server.once('listening', resolve));
      const base = 'http://127.0.0.1:' + server.address().port; ${twice} server.close(); server.closeAllConnections();`;
    assert.equal(run({ ...node, code: nodeCode }), 'Visit 1 Visit 2\n');
    const koaCode = `${koa.code} const server = app.listen(0, '127.0.0.1');
      await new Promise(resolve => server.once('listening', resolve));
      const base = 'http://127.0.0.1:' + server.address().port; ${twice} server.close(); server.closeAllConnections();`;
    assert.equal(run({ ...koa, code: koaCode }), 'Visit 1 Visit 2\n');
    const fastifyCode = `${fastify.code}
      const added = await app.inject({ method: 'POST', url: '/cart/tea' });
      const cookies = { session: added.cookies[0].value };
      console.log((await app.inject({ url: '/cart', cookies })).body, (await app.inject({ url: '/account', cookies })).statusCode);`;
    assert.equal(run({ ...fastify, code: fastifyCode }), '["tea"] 401\n');
    const visit = `const said = [];
      for (const path of ['/account', '/admin', '/password']) said.push((await ask('GET', path)).status);
      said.push((await ask('POST', '/login?returnTo=%2Faccount', { password: 'right' })).location);
      for (const path of ['/account', '/admin', '/password']) said.push((await ask('GET', path)).status);
      console.log(said.join(' '));`;
    assert.equal(run(guards, visit), '401 401 401 /account 200 403 200\n');
  });

  it('guards.md: a page on another origin', () => {
    const block = blocksOf('docs/guards.md').find(({ code }) => code.includes("from 'cors'")) as Block;
    const visit = `const from = (origin, method, path, body = '') => fetch(base + path, { method, headers: { origin, host: 'api.example.com', 'sec-fetch-site': 'same-site',
        'sec-fetch-mode': 'cors', 'content-type': 'application/json', cookie: jar }, ...(body ? { body } : {}) });
      const allowed = answer => [answer.status, answer.headers.get('access-control-allow-origin'), answer.headers.get('access-control-allow-credentials')].join(' ');
      console.log(allowed(await from(page, 'OPTIONS', '/login')));
      console.log(allowed(await from(page, 'GET', '/todos')));
      const login = await from(page, 'POST', '/login', '{"password":"right"}'); jar = login.headers.getSetCookie()[0].split(';')[0];
      console.log(allowed(login));
      console.log(allowed(await from(page, 'GET', '/todos')));
      console.log(allowed(await from('https://evil.example.com', 'POST', '/login', '{"password":"right"}')));`;
    const granted = 'https://app.example.com true';
    assert.equal(run(block, visit), [204, 401, 200, 200, 403].map(status => `${status} ${granted}\n`).join(''));
  });

  it('frameworks.md: the end of the process, with a request under way', () => {
    const ending = blocksOf('docs/frameworks.md').find(({ code }) => code.includes('SIGTERM')) as Block;
    const code = `${ending.code.replace('3000', "0, '127.0.0.1'")}
      const { get } = await import('node:http');
      await new Promise(resolve => server.once('listening', resolve));
      app.get('/', async (req, res) => {
        process.kill(process.pid, 'SIGTERM');
        await new Promise(resolve => process.once('SIGTERM', resolve));
        req.session.cart = ['tea'];
        res.end();
      });
      get({ port: server.address().port, agent: false }, res => console.log(res.statusCode, res.headers['set-cookie']?.length));`;
    assert.equal(run({ ...ending, code }), '200 1\n');
  });

  it('testing.md: someone who is logged in, and expiry', () => {
    const [login, expiry] = blocksOf('docs/testing.md') as [Block, Block];
    const visit = "jar = cookie.header; console.log((await ask('GET', '/account')).text);";
    assert.equal(run(login, visit), 'true\n"ada"\n');
    assert.equal(run(expiry, visit), 'null\n');
    assert.equal(run({ ...expiry, code: expiry.code.replace('31m', '29m') }, visit), '"ada"\n');
  });

  it('merge.md: a token that works once', () => {
    const [once] = blocksOf('docs/merge.md') as [Block];
    const code = `app.use(session({ secret, store }));\napp.post('/', async (req, res) => {\n${once.code}\nres.json(won); });\napp.post('/in', (req, res) => { req.session.a = 1; res.end(); });`;
    const visit =
      "await ask('POST', '/in'); console.log((await Promise.all([1, 2, 3].map(() => ask('POST', '/')))).map(answer => answer.text).sort().join());";
    assert.equal(run({ name: once.name, code }, visit), 'false,false,true\n');
  });

  it('errors.md has every warning', () => {
    const page = readFileSync('docs/errors.md', 'utf8');
    for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(one => one.endsWith('.ts'))) {
      const codes = readFileSync(path.join('src', file), 'utf8').match(/MADELEINE_[A-Z_]+/g) ?? [];
      for (const code of codes) assert.ok(page.includes(`- \`${code}\`:`), `${code} of ${file}`);
    }
  });

  it('every file of docs/ is reached from the README or another of them', () => {
    const pages = ['README.md', ...readdirSync('docs').map(file => `docs/${file}`)];
    const text = pages.map(file => readFileSync(file, 'utf8')).join('');
    for (const file of readdirSync('docs')) assert.ok(text.includes(`${file})`), file);
  });
});
