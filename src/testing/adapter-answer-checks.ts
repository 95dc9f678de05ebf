/** What must be true of every answer of an adapter, however it is given. */
import assert from 'node:assert/strict';
import { memoryStore } from '../stores/memory.ts';
import { type AdapterBench, type AdapterCheck, namedChecks, SPEEDS, slowStore } from './adapter-bench.ts';
import type { AdapterAnswer, AdapterConformanceOptions } from './adapter-harness.ts';
import type { TestAnswer, TestClient } from './client.ts';
import { faultStore } from './fault-store.ts';
import { NODE_WAYS } from './node-ways.ts';

interface Way {
  name: string;
  path: string;
  bare: AdapterAnswer;
}

function waysOf({ ways, node }: AdapterConformanceOptions): Way[] {
  const own = ways.map(name => ({ name, path: `/way/${encodeURIComponent(name)}`, bare: { way: name } }));
  if (!node) return own;
  const nodes = Object.entries(NODE_WAYS).map(([name, way]) => ({
    name: `Node: ${name}`,
    path: `/node/${encodeURIComponent(name)}`,
    bare: { node: way },
  }));
  return [...own, ...nodes];
}

const visits = async (client: TestClient): Promise<unknown> => (await client.get('/data')).json()['visits'];

/** What the session may add to an answer is taken away. */
function comparable({ status, headers, body, trailers, informational, setCookies }: TestAnswer): unknown {
  const { date: _date, vary: _vary, 'cache-control': _cache, 'set-cookie': _cookies, ...rest } = headers;
  const others = setCookies.filter(line => !line.startsWith('session='));
  return { status, headers: rest, body, trailers, informational, others };
}

async function refused(answer: Promise<TestAnswer>, what: string): Promise<void> {
  const { status, setCookies, headers, trailers } = await answer;
  assert.equal(status, 503, what);
  assert.deepEqual(setCookies, [], what);
  assert.equal(headers.location, undefined, what);
  assert.equal(headers.trailer, undefined, what);
  assert.deepEqual(trailers, {}, what);
}

/** One check for each way and each speed. */
export function answerChecks(adapter: AdapterConformanceOptions): AdapterCheck[] {
  const checks: AdapterCheck[] = [];
  const add = (name: string, run: AdapterCheck['run']) => checks.push({ name, node: false, run });

  for (const { name, path, bare } of waysOf(adapter)) {
    for (const [speed, open] of Object.entries(SPEEDS)) {
      add(`${name}, ${speed}: the next request sees the write`, async bench => {
        const client = await bench.serve({ store: open() });
        for (let round = 1; round <= 3; round++) {
          await client.get(path);
          assert.equal(await visits(client), round);
        }
      });
      add(`${name}, ${speed}: what the client gets is what the bare framework sends, save our fields`, async bench => {
        const expected = await (await bench.serveBare(bare)).get(path);
        const actual = await (await bench.serve({ store: open() })).get(path);
        assert.deepEqual(comparable(actual), comparable(expected));
        assert.equal(actual.setCookies.length, expected.setCookies.length + 1);
      });
    }
    add(`${name}: a store that fails, hangs or drops gives a clean 503, no success and no cookie`, async bench => {
      for (const kind of ['fail', 'hang', 'drop'] as const) {
        const store = faultStore(memoryStore(), ({ operation }) => (operation === 'create' ? { kind } : null));
        await bench.serve({ store, storeTimeout: 50 });
        await refused(bench.ask(path), kind);
      }
    });
    add(`${name}: a synchronous store that throws gives a clean 503`, async bench => {
      const store = memoryStore();
      store.create = () => {
        throw new Error('disk full');
      };
      await bench.serve({ store });
      await refused(bench.ask(path), 'throws');
    });
  }
  return [...checks, ...namedChecks(plainChecks)];
}

const plainChecks: Record<string, (bench: AdapterBench) => Promise<void>> = {
  async 'HEAD has no body, and saves'(bench) {
    const client = await bench.serve({ store: slowStore() });
    const head = await client.send('HEAD', '/visit');
    assert.deepEqual([head.status, head.body, head.setCookies.length], [200, '', 1]);
    assert.equal(await visits(client), 1);
  },

  async 'looking at the session adds Vary: Cookie, once, beside what is there; not looking does not'(bench) {
    const client = await bench.serve();
    const vary = async (path: string) => (await client.get(path)).headers.vary;
    assert.equal(await vary('/look'), undefined);
    assert.equal(await vary('/peek'), 'Cookie');
    assert.equal(await vary('/peek?vary=Accept-Language'), 'Accept-Language, Cookie');
    assert.equal(await vary('/peek?vary=Cookie'), 'Cookie');
    assert.equal(await vary('/peek?vary=Accept,%20cookie'), 'Accept, cookie');
    assert.equal(await vary('/peek?vary=*'), '*');
  },

  async 'a response that sets the session cookie is not for shared caches, unless the application says so'(bench) {
    await bench.serve();
    const cases: Array<[said: string | null, sent: string]> = [
      [null, 'no-store'],
      ['public, max-age=60', 'no-store'],
      ['max-age=60', 'no-store'],
      ['private, max-age=60', 'private, max-age=60'],
      ['no-cache="Set-Cookie", max-age=60', 'no-cache="Set-Cookie", max-age=60'],
      ['public, private="X-Mine, Set-Cookie"', 'public, private="X-Mine, Set-Cookie"'],
      ['public, max-age=60, no-cache="X-Mine"', 'no-store'],
      ['s-maxage=60, private="X-Mine"', 'no-store'],
      ['max-age=0, No-Store', 'max-age=0, No-Store'],
      ['no-store, max-age=0', 'no-store, max-age=0'],
      ['no-cache , max-age=0', 'no-cache , max-age=0'],
      ['max-age=60, no-cache = "set-cookie"', 'max-age=60, no-cache = "set-cookie"'],
      ['max-age=60, x-private', 'no-store'],
      ['public, no-cache="X-Set-Cookie"', 'no-store'],
      ['public, private="Set-Cookie-Hint"', 'no-store'],
      ['public, private="X-Mine", x="a, Set-Cookie"', 'no-store'],
      ['public, private="A,Set-Cookie , B"', 'public, private="A,Set-Cookie , B"'],
    ];
    for (const [said, sent] of cases) {
      const fresh = bench.visitor();
      const path = said === null ? '/headers' : `/headers?cache-control=${encodeURIComponent(said)}`;
      assert.equal((await fresh.get(path)).headers['cache-control'], sent);
      assert.equal((await fresh.get(path)).headers['cache-control'], said ?? undefined, 'no cookie, no change');
    }
  },

  async 'nor for caches that have a field of their own (RFC 9213)'(bench) {
    await bench.serve();
    const ask = async (field: string, said: string) => {
      const path = `/headers?cache-control=private&${field}=${encodeURIComponent(said)}`;
      const fresh = bench.visitor();
      const [first, second] = [await fresh.get(path), await fresh.get(path)];
      assert.equal(first.headers['cache-control'], 'private');
      assert.equal(second.headers[field], said, 'no cookie, no change');
      return first.headers[field];
    };
    for (const field of ['cdn-cache-control', 'vercel-cdn-cache-control', 'surrogate-control']) {
      assert.equal(await ask(field, 'max-age=60'), 'no-store');
      assert.equal(await ask(field, 'private'), 'private');
    }
    // How the page is put together is said there too, and has to reach the cache that does it.
    for (const said of ['content="ESI/1.0"', 'max-age=60, content="ESI/1.0"'])
      assert.equal(await ask('surrogate-control', said), 'no-store, content="ESI/1.0"');
  },

  async 'an error in place of an answer has nothing of what that said of its body, of caches, and of where it leads'(
    bench,
  ) {
    const fields = {
      ...{ 'cdn-cache-control': 'max-age=60', 'surrogate-control': 'max-age=60', 'x-accel-expires': '60', age: '1' },
      ...{ refresh: '0;url=/done', 'hx-redirect': '/done', 'x-accel-redirect': '/done', 'x-sendfile': '/done' },
      ...{ 'repr-digest': 'sha-256=:AA==:', 'clear-site-data': '"cookies"', 'last-modified': new Date().toUTCString() },
    };
    for (const open of Object.values(SPEEDS)) {
      const store = faultStore(open(), ({ operation }) => (operation === 'create' ? { kind: 'fail' } : null));
      await bench.serve({ store });
      const answer = await bench.ask(`/headers?x-request-id=7&${new URLSearchParams(fields)}`);
      assert.equal(answer.status, 503);
      const left = Object.keys(fields).filter(name => name in answer.headers);
      assert.deepEqual(left, []);
    }
  },

  async 'Set-Cookie lines of the application live beside the session cookie'(bench) {
    const client = await bench.serve();
    const names = (await client.get('/cookies')).setCookies.map(line => line.split('=')[0]);
    assert.deepEqual(names.sort(), ['a', 'b', 'session']);
  },

  async 'several Cookie fields are one'(bench) {
    const client = await bench.serve();
    await client.get('/visit');
    // HTTP/2 splits the field where it is told to; HTTP/1 clients send one line for each.
    const cookie = ['first=1', client.cookieHeader(), 'last=2'];
    assert.equal((await bench.ask('/data', { headers: { cookie } })).json()['visits'], 1);
  },

  async 'an error that the application throws is answered by the framework, and the session is kept'(bench) {
    const client = await bench.serve();
    const answer = await client.get('/throw');
    assert.equal(answer.status, 500);
    assert.equal(await visits(client), 1);
  },

  async 'a store that cannot be read gives a clean 503 in bounded time, and all is well when it is back'(bench) {
    for (const kind of ['fail', 'hang'] as const) {
      const store = faultStore(memoryStore());
      const client = await bench.serve({ store, storeTimeout: 50 });
      await client.get('/visit');
      store.plan(({ operation }) => (operation === 'read' ? { kind } : null));
      assert.equal((await client.get('/data')).status, 503);
      store.plan(() => null);
      assert.equal(await visits(client), 1);
    }
  },
};
