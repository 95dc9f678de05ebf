// docs/frameworks.md: what it shows for connect, polka and NestJS is compiled where it is TypeScript, and run.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { RequestListener, Server } from 'node:http';
import path from 'node:path';
import { it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Logger } from '@nestjs/common';
import { Client } from '../support/client.ts';
import { serve } from '../support/serve.ts';
import { IN_REPOSITORY, temporaryFolder } from '../support/temporary-files.ts';

process.env['SESSION_SECRET'] = 'a secret of more than thirty-two bytes';
const folder = temporaryFolder(IN_REPOSITORY);

const text = readFileSync('docs/frameworks.md', 'utf8');

/** The code blocks below a heading. */
function blocks(heading: string): string[] {
  const [, section = ''] = text.split(`## ${heading}\n`);
  const [own = ''] = section.split('\n## ');
  return [...own.matchAll(/^```(?:js|ts)\n([\s\S]*?)^```/gm)].map(match => match[1] as string);
}

const moduleOf = async (file: string) => import(pathToFileURL(path.join(folder, file)).href);

async function visitTwice(context: TestContext, code: string, file: string): Promise<void> {
  writeFileSync(path.join(folder, file), `${code}\nexport { app };`);
  const { app } = await moduleOf(file);
  const served = await serve((app.handler ?? app) as RequestListener);
  context.after(served.close);
  const client = new Client(served.url);
  assert.equal((await client.get('/')).body, 'Visit 1');
  assert.equal((await client.get('/')).body, 'Visit 2');
  assert.equal((await client.get('/account')).status, 401);
}

it('connect, polka', async context => {
  const [code = ''] = blocks('connect, polka');
  await visitTwice(context, code, 'polka.mjs');
  const onConnect = code
    .replace(/polka\(\{[\s\S]*?^\}\)/m, 'connect()')
    .replace("polka from 'polka'", "connect from 'connect'")
    .replace("app.get('/', ", 'app.use(');
  assert.doesNotMatch(onConnect, /polka/);
  await visitTwice(context, onConnect, 'connect.mjs');
});

it('NestJS, on Express and on Fastify', async context => {
  Logger.overrideLogger(false);
  const [onExpress = '', fastify = ''] = blocks('NestJS');
  const [, first = '', create = ''] = /^((?:import .*\n)+)\n([\s\S]*)$/.exec(fastify) ?? [];
  const withoutOwn = onExpress
    .replace(/^import .*'(?:express|madeleine\/express)';\n/gm, '')
    .replaceAll(/\bRequest\b/g, 'FastifyRequest')
    .replace(/^const app =[\s\S]*$/m, create);
  const programs = { onExpress, onFastify: `${first}${withoutOwn}await app.listen(3000);` };
  for (const [name, code] of Object.entries(programs)) {
    assert.match(code, /listen\(3000\)/);
    const served = code.replace('listen(3000)', "listen(0, '127.0.0.1')");
    writeFileSync(path.join(folder, `${name}.mts`), `${served}\nexport { app };`);
  }
  const decorators = ['--experimentalDecorators', '--emitDecoratorMetadata', '--skipLibCheck', '--strict'];
  const options = ['--ignoreConfig', '--module', 'nodenext', '--target', 'es2023', '--types', 'node', ...decorators];
  const files = Object.keys(programs).map(name => path.join(folder, `${name}.mts`));
  const { status, stdout } = spawnSync('node_modules/.bin/tsc', [...options, ...files], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
  for (const name of Object.keys(programs)) {
    const { app } = (await moduleOf(`${name}.mjs`)) as {
      app: { getUrl(): Promise<string>; close(): Promise<void>; getHttpServer(): Server };
    };
    context.after(() => app.close());
    const client = new Client(await app.getUrl());
    assert.equal((await client.get('/account')).status, 401);
    const added = await client.post('/cart/tea');
    assert.deepEqual([added.status, added.headers.location], [303, '/cart']);
    assert.deepEqual((await client.get('/cart')).json(), ['tea']);
    assert.equal((await client.post('/login/ada')).status, 201);
    assert.equal((await client.get('/account')).body, 'Account of ada');
  }
});
