// The package as others meet it: its public names, its floors, its documents.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, it } from 'node:test';

const require = createRequire(import.meta.url);
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const sources = readdirSync('src', { recursive: true })
  .map(String)
  .filter(file => file.endsWith('.ts'));
const read = (file: string): string => readFileSync(path.join('src', file), 'utf8');

describe('public names', () => {
  const expected: Record<string, string[]> = {
    '.': [
      ...[
        'DEFAULT_LIFETIME',
        'MadeleineError',
        'clearCookie',
        'createSessions',
        'defineConsent',
        'defineCookie',
        'mergeData',
      ],
      ...['parseCookies', 'serializeCookie'],
    ],
    './express': [
      ...[
        'cookieParser',
        'cookies',
        'requireLogin',
        'requireRecentLogin',
        'requireSameOrigin',
        'requireUser',
        'returnTo',
        'session',
      ],
    ],
    './fastify': ['requireLogin', 'requireRecentLogin', 'requireSameOrigin', 'requireUser', 'returnTo', 'session'],
    './fetch': ['requireLogin', 'requireRecentLogin', 'requireSameOrigin', 'requireUser', 'returnTo', 'session'],
    './hono': ['requireLogin', 'requireRecentLogin', 'requireSameOrigin', 'requireUser', 'returnTo', 'session'],
    './koa': ['requireLogin', 'requireRecentLogin', 'requireSameOrigin', 'requireUser', 'returnTo', 'session'],
    './node': ['requireLogin', 'requireRecentLogin', 'requireSameOrigin', 'requireUser', 'returnTo', 'session'],
    './classic': ['classicStore'],
    './upgrade': ['upgrades'],
    './memory': ['memoryStore'],
    './sealed-cookie': ['sealedCookieStore'],
    './mysql': ['mysqlStore'],
    './postgres': ['postgresStore'],
    './redis': ['redisStore'],
    './moving': ['copySessions', 'movingStore'],
    './sqlite': ['sqliteStore'],
    './testing': [
      ...['GUARDED_PATHS', 'TestClient', 'adapterChecks', 'adapterConformance', 'createTestClock', 'faultStore'],
      ...['loginAs', 'readSetCookie', 'runAdapterCheck', 'sendRequest', 'storeChecks', 'storeConformance'],
    ],
  };
  for (const [subpath, names] of Object.entries(expected)) {
    const specifier = `madeleine${subpath.slice(1)}`;
    it(`${specifier}, by import and by require`, async () => {
      assert.deepEqual(Object.keys(await import(specifier)).sort(), names);
      assert.deepEqual(
        Object.keys(require(specifier))
          .filter(name => name !== '__esModule' && name !== 'module.exports')
          .sort(),
        names,
      );
    });
  }

  it('are all the exports there are', () => {
    assert.deepEqual(Object.keys(manifest.exports).sort(), [...Object.keys(expected), './package.json'].sort());
  });

  it('need no package at run time', () => {
    assert.equal(manifest.dependencies, undefined);
    assert.ok(Object.values(manifest.peerDependenciesMeta).every(meta => (meta as { optional: boolean }).optional));
  });
});

describe('the house', () => {
  const floors = ['.', 'crypto', 'cookie', 'session', 'http', 'stores', 'testing', 'adapters'];
  const importsOf = (file: string): string[] =>
    [...read(file).matchAll(/(?:from|import) '(\.[^']+)'/g)].map(match =>
      path.normalize(path.join(path.dirname(file), match[1] as string)),
    );
  const floorOf = (file: string): number => floors.indexOf(path.dirname(file));

  it('each floor imports only floors below it', () => {
    for (const file of sources.filter(name => name !== 'index.ts')) {
      for (const imported of importsOf(file)) {
        assert.ok(floorOf(imported) <= floorOf(file), `${file} imports ${imported}`);
      }
    }
  });

  it('no circle of imports', () => {
    const done = new Set<string>();
    const visit = (file: string, above: string[]): void => {
      assert.ok(!above.includes(file), `${[...above, file].join(' → ')}`);
      if (done.has(file)) return;
      for (const imported of importsOf(file)) visit(imported, [...above, file]);
      done.add(file);
    };
    for (const file of sources) visit(file, []);
  });

  it('what answers Fetch requests brings along nothing that holds the responses of Node', () => {
    const reached = new Set<string>();
    const reach = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      importsOf(file).forEach(reach);
    };
    for (const adapter of ['fetch', 'hono']) reach(path.join('adapters', `${adapter}.ts`));
    assert.ok(reached.has(path.join('http', 'fetch-exchange.ts')));
    for (const file of ['exchange', 'gate', 'mount']) assert.ok(!reached.has(path.join('http', `${file}.ts`)), file);
  });

  it('every file has at most 250 lines and is named in docs/architecture.md', () => {
    const text = readFileSync('docs/architecture.md', 'utf8');
    for (const file of sources) {
      assert.ok(read(file).split('\n').length <= 251, file);
      const folder = path.dirname(file);
      assert.ok(text.includes(path.basename(file)) || ['stores', 'testing'].includes(folder), file);
    }
  });

  it('no any, nothing switched off', () => {
    for (const file of sources)
      assert.ok(!/: any[\s;,)>[=]|as any\b|<any>|@ts-ignore|@ts-expect-error|TODO|FIXME/.test(read(file)), file);
  });
});

describe('docs/errors.md', () => {
  const codes = [...read('errors.ts').matchAll(/\| '(ERR_[A-Z_]+)'/g)].map(match => match[1] as string);
  const sections = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^### (ERR_[A-Z_]+)$/gm)].map(
    match => match[1] as string,
  );

  it('has a section for each code, and no other', () => {
    assert.deepEqual([...sections].sort(), [...codes].sort());
  });

  it('each code is raised somewhere', () => {
    const code = sources
      .filter(file => file !== 'errors.ts')
      .map(read)
      .join('');
    for (const name of codes) assert.ok(code.includes(`'${name}'`), name);
  });
});

it('what is packed is the built package and its documents', () => {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
  const files = (packed.files as Array<{ path: string }>).map(file => file.path);
  assert.ok(files.includes('dist/index.d.ts') && files.includes('README.md') && files.includes('LICENSE'));
  assert.ok(files.every(file => /^(dist|docs)\/|^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(file)));
});
