// What the developer is told, in a process of its own each: session() in the wrong place, a login by data, and two copies of the package.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { IN_REPOSITORY, temporaryFolder } from '../support/temporary-files.ts';

const folder = temporaryFolder(IN_REPOSITORY);

function run(name: string, code: string, env: Record<string, string> = {}): string {
  const file = path.resolve(folder, name);
  writeFileSync(file, code);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(status, 0, stderr);
  return stdout + stderr;
}

const ORDER = `
import express from 'express';
import { session } from 'madeleine/express';
const app = express();
app.get('/early', (req, res) => res.send(typeof req.session));
app.use(session({ secret: 'a secret of more than thirty-two bytes' }));
app.get('/late', (req, res) => res.send(typeof req.session));
const server = app.listen(0, async () => {
  for (const path of ['/late', '/early', '/early']) {
    console.log(await (await fetch('http://127.0.0.1:' + server.address().port + path)).text());
  }
  server.close();
});`;

it('Express: a look at a session that is not there warns once, and names the line', () => {
  const out = run('order.mjs', ORDER);
  assert.match(out, /object\nundefined\nundefined\n/);
  const warnings = out.match(/\[MADELEINE_ORDER\].*Move session\(\) above the line .*order\.mjs:5:\d+/g);
  assert.equal(warnings?.length, 1, out);
  assert.doesNotMatch(run('quiet.mjs', ORDER, { NODE_ENV: 'production' }), /MADELEINE_ORDER/);
});

const BY_HAND = (data: string) => `
import express from 'express';
import { requireLogin, session } from 'madeleine/express';
import { session as fetchSession, requireUser } from 'madeleine/fetch';
const secret = 'a secret of more than thirty-two bytes';
const data = ${data};
const app = express();
app.use(session({ secret }), (req, res, next) => next(void Object.assign(req.session, data)), requireLogin());
const server = app.listen(0, async () => {
  const url = 'http://127.0.0.1:' + server.address().port;
  console.log((await fetch(url)).status, (await fetch(url)).status);
  server.close();
});
const { withSession, of } = fetchSession({ secret });
const guarded = requireUser(() => true)(() => new Response('in'));
await withSession(request => { Object.assign(of(request), data); return guarded(request); })(new Request('http://shop.example/'));`;

it('a guard warns of who is logged in by data alone, once', () => {
  for (const [index, data] of ['{ user: { id: 1 } }', '{ userId: 1 }', '{ passport: { user: 1 } }'].entries()) {
    const out = run(`by-hand-${index}.mjs`, BY_HAND(data));
    assert.match(out, /^401 401$/m);
    assert.equal(out.match(/\[MADELEINE_LOGIN\].*call await session\.login\(user\.id\)/g)?.length, 1, out);
  }
  // Nobody is there: passport leaves the last when it logs somebody out.
  for (const [index, data] of ["{ cart: ['user'] }", "{ user: null, userId: '', passport: {} }"].entries())
    assert.doesNotMatch(run(`stranger-${index}.mjs`, BY_HAND(data)), /MADELEINE_LOGIN/);
});

cpSync('dist', path.join(folder, 'copy'), { recursive: true });
writeFileSync(path.join(folder, 'copy/package.json'), '{"type":"module"}');

it('two copies of the package are named, each with its place', () => {
  const out = run(
    'twice.mjs',
    `import { session } from 'madeleine/express';
     import { session as other } from './copy/adapters/express.js';
     for (const make of [session, session, other]) make({ secret: 'a secret of more than thirty-two bytes' });`,
  );
  assert.match(out, /\[MADELEINE_TWICE\].*2 copies of madeleine.*\/dist\/ and .*\/copy\//);
  assert.doesNotMatch(
    run('once.mjs', "import { session } from 'madeleine/express'; session({ secret: 'x'.repeat(40) });"),
    /MADELEINE_TWICE/,
  );
});

it('two copies serve each its own path of one Express application', () => {
  const out = run(
    'both.mjs',
    `import express from 'express';
     import * as one from 'madeleine/express';
     import * as other from './copy/adapters/express.js';
     const app = express();
     for (const [path, { session, cookies }] of Object.entries({ '/one': one, '/other': other })) {
       const part = express.Router();
       part.use(cookies(), session({ secret: 'x'.repeat(40), name: path.slice(1) }));
       part.get('/', (req, res) => {
         req.session.visits = (req.session.visits ?? 0) + 1;
         req.flash('info', path);
         res.json([req.session.visits, req.flash('info'), req.sessionID === req.session.id, typeof req.cookies.seen]);
       });
       app.use(path, part);
     }
     const server = app.listen(0, async () => {
       const said = [];
       const cookies = new Map([['seen', '1']]);
       for (const path of ['/one', '/other', '/one', '/other']) {
         const cookie = [...cookies].map(pair => pair.join('=')).join('; ');
         const answer = await fetch('http://127.0.0.1:' + server.address().port + path, { headers: { cookie } });
         for (const line of answer.headers.getSetCookie()) cookies.set(...line.split(';')[0].split('='));
         said.push(await answer.text());
       }
       console.log(said.join(' '));
       server.close();
       server.closeAllConnections();
     });`,
  );
  const visit = (path: string, visits: number) => `[${visits},["${path}"],true,"string"]`;
  assert.ok(out.includes([visit('/one', 1), visit('/other', 1), visit('/one', 2), visit('/other', 2)].join(' ')), out);
  assert.doesNotMatch(out, /MADELEINE_ORDER/);
});
