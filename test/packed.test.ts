// The tarball as the registry would have it: read by the tools that know what resolvers do with it, compiled against and loaded
// in projects that have nothing else but the one peer that a subpath is for.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from './support/temporary-files.ts';

// Outside the repository, so that nobody who looks for a package further up finds the repository's.
const folder = temporaryFolder();
const options = ['--ignore-scripts', '--silent', '--pack-destination', folder];
const tarball = path.join(folder, execFileSync('npm', ['pack', ...options], { encoding: 'utf8' }).trim());
const installed = path.resolve('node_modules');
const manifest = JSON.parse(execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' }));

const tools: Record<string, string[]> = {
  publint: ['--strict', tarball],
  attw: ['--profile', 'esm-only', tarball],
};
for (const [tool, args] of Object.entries(tools)) {
  it(`${tool} finds nothing`, () => {
    const { status, stdout, stderr } = spawnSync(path.join(installed, '.bin', tool), args, { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  });
}

/**
 * A project with the unpacked tarball, @types/node and these packages, each as the repository has it. The version is the
 * project's own: the compiler takes two copies of one version for the same, and would look for peers from the first.
 */
function createProject(name: string, packages: readonly string[] = [], copied: readonly string[] = []): string {
  const project = path.join(folder, 'projects', name);
  const own = path.join(project, 'node_modules/madeleine');
  mkdirSync(own, { recursive: true });
  mkdirSync(path.join(project, 'node_modules/@types'));
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', own]);
  writeFileSync(path.join(own, 'package.json'), JSON.stringify({ ...manifest, version: `0.0.0-${name}` }));
  const link = (one: string) => symlinkSync(path.join(installed, one), path.join(project, 'node_modules', one));
  for (const one of ['@types/node', ...packages]) link(one);
  for (const one of copied) {
    cpSync(path.join(installed, one), path.join(project, 'node_modules', one), { recursive: true });
    const { dependencies } = JSON.parse(readFileSync(path.join(installed, one, 'package.json'), 'utf8'));
    for (const needed of Object.keys(dependencies)) {
      if (!existsSync(path.join(project, 'node_modules', needed))) link(needed);
    }
  }
  return project;
}

function run(program: string, args: string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd }, (error, stdout, stderr) => {
      if (error) reject(new Error(stdout + stderr));
      else resolve(stdout);
    });
  });
}

interface Sample {
  packages: readonly string[];
  /**
   * Packages that stand there as copies, beside what they depend on: linked ones would look for it in the repository, where
   * @types/koa finds the content-disposition 2 of Express, which has other types of its own.
   */
  copied?: readonly string[];
  code: string;
}

const specifiers = Object.keys(manifest.exports)
  .filter(subpath => subpath !== './package.json')
  .map(subpath => `madeleine${subpath.slice(1)}`);

const PEERS = ['better-sqlite3', 'express', 'fastify', 'hono', 'ioredis', 'koa', 'mysql2', 'pg', 'redis'];

/**
 * What is expected to be an error shows that types are found, and are not `any`. What is exported has a type that an application's own
 * declarations can name.
 */
const SAMPLES: Record<string, Sample> = {
  'no peer: every subpath but Fastify’s': {
    packages: [],
    code: `
      ${specifiers
        .filter(one => one !== 'madeleine/fastify')
        .map((one, i) => `import * as all${i} from '${one}'; void all${i};`)
        .join('\n')}
      ${PEERS.map(one => `// @ts-expect-error: it is not there\nvoid import('${one}');`).join('\n')}
      import { createServer } from 'node:http';
      import { session } from 'madeleine/node';
      export const listener = session({ secret: 's' }).withSession((req, res) => res.end(req.session.about.userId));
      createServer(listener);
      // @ts-expect-error: not a secret
      session({ secret: 1 });
      import { sqliteStore } from 'madeleine/sqlite';
      import { createSessions, defineCookie } from 'madeleine';
      import { requireLogin } from 'madeleine/node';
      import * as fetching from 'madeleine/fetch';
      export const theme = defineCookie('theme');
      export const { name, purpose, read, write, clear } = defineCookie('cart', { type: 'json' });
      export const guard = requireLogin();
      export const { withSession, of, flash } = fetching.session({ secret: 's' });
      export const fetchGuard = fetching.requireLogin();
      export const { open, list, scan, on } = createSessions({ secret: 's', store: sqliteStore(':memory:') });
      export const store = sqliteStore(':memory:');
      // @ts-expect-error: not a path
      sqliteStore(1);`,
  },
  'options that may be undefined: then the default counts': {
    packages: [],
    code: `
      import { createSessions, defineConsent, defineCookie, serializeCookie } from 'madeleine';
      import * as fetching from 'madeleine/fetch';
      import { memoryStore } from 'madeleine/memory';
      import { mysqlStore } from 'madeleine/mysql';
      import { requireLogin, requireSameOrigin, session } from 'madeleine/node';
      import { postgresStore } from 'madeleine/postgres';
      import { redisStore } from 'madeleine/redis';
      import { sealedCookieStore } from 'madeleine/sealed-cookie';
      import { sqliteStore } from 'madeleine/sqlite';
      import { loginAs } from 'madeleine/testing';
      import { upgrades } from 'madeleine/upgrade';
      const no = undefined;
      const lifetimes = { idle: no, absolute: no, remember: no, grace: no };
      const attributes = { path: no, domain: no, sameSite: no, secure: no, partitioned: no };
      const declared = { ...attributes, maxAge: no, httpOnly: no, priority: no, clock: no };
      const choices = { merge: no, concurrency: no, maxDataSize: no, storeTimeout: no, onStoreError: no, onReuse: no };
      const options = { ...lifetimes, ...choices, name: no, cookie: no, clock: no, secret: 's' };
      const sessions = createSessions({ ...options, cookie: { ...attributes, persistent: no }, store: memoryStore() });
      session({ ...options, store: no, trustProxy: no });
      fetching.session({ ...options, store: no, trustProxy: no });
      requireLogin({ loginPage: no });
      requireSameOrigin({ trustedOrigins: no });
      upgrades(sessions, { trustedOrigins: no, trustProxy: no });
      serializeCookie('theme', 'dark', { ...attributes, maxAge: no, expires: no, httpOnly: no, priority: no });
      const theme = defineCookie('theme', { ...declared, type: no, purpose: no, protection: no, secret: no });
      defineConsent([theme], { ...declared, name: no, version: no });
      sqliteStore(':memory:', { durability: no });
      sealedCookieStore({ denylist: no, epoch: no });
      loginAs(sessions, 'ada', { remember: no, data: no, secure: no });
      (await sessions.open(no, { secure: false, device: () => null })).session.login('ada', { remember: no, keep: no });
      export const servers = () => [
        postgresStore('postgres://localhost/shop', { schema: no, table: no, unlogged: no }),
        mysqlStore('mysql://localhost/shop', { table: no }),
        redisStore('redis://localhost', { prefix: no, wait: no, clock: no }),
      ];`,
  },
  'madeleine/express': {
    packages: ['express', '@types/express'],
    code: `
      import express from 'express';
      import { requireLogin, session } from 'madeleine/express';
      const app = express();
      export const remember = session({ secret: 's' });
      export const guard = requireLogin();
      app.use(remember);
      app.get('/', guard, (req, res) => void res.json(req.session.about.userId));
      // @ts-expect-error: a session has no such method
      app.get('/', (req, res) => void res.json(req.session.about.nothing()));`,
  },
  'madeleine/fastify': {
    packages: ['fastify'],
    code: `
      import Fastify from 'fastify';
      import { requireLogin, session } from 'madeleine/fastify';
      const app = Fastify();
      app.register(session, { secret: 's' });
      export const guard = requireLogin();
      app.get('/', { preHandler: guard }, async request => request.session.about.userId);
      // @ts-expect-error: a session has no such method
      app.get('/', async request => request.session.about.nothing());`,
  },
  'madeleine/hono': {
    packages: ['hono'],
    code: `
      import { Hono } from 'hono';
      import { requireLogin, type SessionVariables, session } from 'madeleine/hono';
      const app = new Hono<{ Variables: SessionVariables }>();
      export const remember = session({ secret: 's' });
      export const guard = requireLogin();
      app.use(remember);
      app.get('/', requireLogin(), c => c.json(c.var.session.about.userId));
      // @ts-expect-error: a session has no such method
      app.get('/', c => c.json(c.var.session.about.nothing()));`,
  },
  'madeleine/koa': {
    packages: ['koa'],
    copied: ['@types/koa'],
    code: `
      import Koa from 'koa';
      import { requireLogin, type SessionContext, session } from 'madeleine/koa';
      const app = new Koa<Koa.DefaultState, SessionContext>();
      export const remember = session({ secret: 's' });
      export const guard = requireLogin();
      app.use(remember).use(guard);
      app.use(ctx => { ctx.body = ctx.session.about.userId; });
      // @ts-expect-error: a session has no such method
      app.use(ctx => { ctx.body = ctx.session.about.nothing(); });`,
  },
  'madeleine/postgres': {
    packages: ['pg', '@types/pg'],
    code: `
      import pg from 'pg';
      import { postgresStore } from 'madeleine/postgres';
      postgresStore(new pg.Pool());
      // @ts-expect-error: the settings of a pool are not a pool
      postgresStore({ connectionString: 'postgres://localhost/shop' });`,
  },
  'madeleine/mysql': {
    packages: ['mysql2'],
    code: `
      import mysql from 'mysql2/promise';
      import { mysqlStore } from 'madeleine/mysql';
      mysqlStore(mysql.createPool('mysql://localhost/shop'));
      // @ts-expect-error: the settings of a pool are not a pool
      mysqlStore({ uri: 'mysql://localhost/shop' });`,
  },
  'madeleine/redis over redis': {
    packages: ['redis'],
    code: `
      import { createClient } from 'redis';
      import { redisStore } from 'madeleine/redis';
      redisStore(createClient());
      // @ts-expect-error: the settings of a client are not a client
      redisStore({ url: 'redis://localhost:6379' });`,
  },
  'madeleine/redis over ioredis': {
    packages: ['ioredis'],
    code: `
      import { Redis } from 'ioredis';
      import { redisStore } from 'madeleine/redis';
      redisStore(new Redis());
      // @ts-expect-error: the settings of a client are not a client
      redisStore({ host: 'localhost' });`,
  },
  'madeleine/sqlite over better-sqlite3': {
    packages: ['better-sqlite3', '@types/better-sqlite3'],
    code: `
      import Database from 'better-sqlite3';
      import { sqliteStore } from 'madeleine/sqlite';
      sqliteStore(new Database(':memory:'));
      // @ts-expect-error: the settings of a database are not a database
      sqliteStore({ filename: ':memory:' });`,
  },
};

const RESOLUTIONS: Record<string, string[]> = {
  node16: ['--module', 'node16', '--moduleResolution', 'node16'],
  bundler: ['--module', 'preserve', '--moduleResolution', 'bundler'],
};

// One compiler for all projects, because each would check Node's types again: what a file imports is looked for from where it is.
describe('types, each in a project with the one peer that it is for', () => {
  const files = Object.entries(SAMPLES).map(([name, sample]) => {
    const project = createProject(name.replace(/\W+/g, '-'), sample.packages, sample.copied);
    writeFileSync(path.join(project, 'sample.mts'), sample.code);
    return path.join(project, 'sample.mts');
  });
  for (const [name, resolution] of Object.entries(RESOLUTIONS)) {
    it(`${name}: every file that is imported`, async () => {
      const strict = ['--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false'];
      const platform = ['--target', 'es2023', '--types', 'node'];
      const emit = ['--declaration', '--emitDeclarationOnly', '--outDir', path.join(folder, 'declarations', name)];
      const args = [...emit, ...strict, ...platform, ...resolution, ...files];
      await run(path.join(installed, '.bin/tsc'), args, path.dirname(files[0] as string));
    });
  }
});

describe('loaded in a project without any peer', () => {
  const project = createProject('loaded');
  const names = JSON.stringify(specifiers);
  const files = {
    'by require': [
      'load.cjs',
      `for (const name of ${names}) console.log(name, Object.keys(require(name)).length > 0);`,
    ],
    'by import': [
      'load.mjs',
      `for (const name of ${names}) console.log(name, Object.keys(await import(name)).length > 0);`,
    ],
  } as const;
  for (const [way, [file, code]] of Object.entries(files)) {
    it(`every subpath, ${way}`, async () => {
      writeFileSync(path.join(project, file), code);
      const expected = specifiers.map(name => `${name} true\n`).join('');
      assert.equal(await run(process.execPath, [file], project), expected);
    });
  }

  // esbuild, tsup and others make CommonJS of it by putting {} in the place of import.meta; a file that they make has a __filename.
  it('every subpath, as bundled into one CommonJS file', async () => {
    const bundled = path.join(project, 'bundle.cjs');
    const hooks = `export async function load(url, context, next) {
      const loaded = await next(url, context);
      if (!url.includes('/madeleine/dist/')) return loaded;
      const source = String(loaded.source).replaceAll('import.meta', '({})');
      return { ...loaded, source: 'const __filename = ' + ${JSON.stringify(JSON.stringify(bundled))} + ';' + source };
    }`;
    const code = `
      import { register } from 'node:module';
      register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});
      for (const name of ${names}) console.log(name, Object.keys(await import(name)).length > 0);
      const { postgresStore } = await import('madeleine/postgres');
      const { session } = await import('madeleine/fetch');
      try { postgresStore('postgres://localhost/shop'); } catch (error) { console.log(error.code); }
      try { session({ secret: 'a secret of more than thirty-two bytes' }).of(new Request('http://app.example')); }
      catch (error) { console.log(error.code); }`;
    writeFileSync(path.join(project, 'bundled.mjs'), code);
    const expected = specifiers.map(name => `${name} true\n`).join('');
    const printed = await run(process.execPath, ['--no-warnings', 'bundled.mjs'], project);
    assert.equal(printed, `${expected}ERR_DRIVER_MISSING\nERR_SESSION_MISSING\n`);
  });

  it('both ways give the same, and a store without its driver says what to install', async () => {
    const code = `
      import { createRequire } from 'node:module';
      import { MadeleineError } from 'madeleine';
      import { session } from 'madeleine/node';
      import { postgresStore } from 'madeleine/postgres';
      import { loginAs } from 'madeleine/testing';
      const require = createRequire(import.meta.url);
      console.log(require('madeleine').MadeleineError === MadeleineError);
      console.log((await loginAs(session({ secret: 'a secret of more than thirty-two bytes' }), 'ada')).name);
      try { postgresStore('postgres://localhost/shop'); } catch (error) { console.log(error.code); }`;
    writeFileSync(path.join(project, 'use.mjs'), code);
    assert.equal(await run(process.execPath, ['use.mjs'], project), 'true\nsession\nERR_DRIVER_MISSING\n');
  });
});
