// What the developer is told, in a process of its own each: session() in the wrong place, and two copies of the package.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, it } from 'node:test';

mkdirSync('.build', { recursive: true });
const folder = mkdtempSync('.build/order-');
after(() => rmSync(folder, { recursive: true }));

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

it('two copies of the package are named, each with its place', () => {
  cpSync('dist', path.join(folder, 'copy'), { recursive: true });
  writeFileSync(path.join(folder, 'copy/package.json'), '{"type":"module"}');
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
