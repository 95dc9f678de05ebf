// cookies() beside cookie-parser and cookie-signature: what either signed, the other reads.
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import type { RequestHandler } from 'express';
import fc from 'fast-check';
import { defineCookie } from 'madeleine';
import { cookies } from 'madeleine/express';
import { Client, request } from '../support/client.ts';
import { EXPRESSES } from '../support/expresses.ts';
import { serve } from '../support/serve.ts';

const require = createRequire(import.meta.url);
const cookieParser: (secret?: string | string[]) => RequestHandler = require('cookie-parser');
const signature: { sign(value: string, secret: string): string } = require('cookie-signature');
const secret = 'keyboard cat';

function app(express: (typeof EXPRESSES)[number]['express'], middleware: RequestHandler) {
  const made = express();
  made.use(middleware);
  made.get('/set', (_req, res) => {
    res.cookie('text', 'a b; ü "x" %25', { signed: true }).cookie('json', { a: [1, 'ü'] }, { signed: true });
    res.cookie('plain', { b: 2 }).end();
  });
  made.get(
    '/read',
    (req, res) => void res.json({ cookies: req.cookies, signed: req.signedCookies, secret: req.secret }),
  );
  return made;
}

for (const { name, express } of EXPRESSES) {
  describe(name, () => {
    it('what cookie-parser reads, we read, whoever set it', async () => {
      const [peer, ours] = await Promise.all([
        serve(app(express, cookieParser(secret))),
        serve(app(express, cookies(secret) as RequestHandler)),
      ]);
      for (const setter of [peer, ours]) {
        const client = new Client(setter.url);
        await client.get('/set');
        const headers = { cookie: client.cookieHeader() };
        const answers = await Promise.all([peer, ours].map(({ url }) => request(`${url}/read`, { headers })));
        assert.deepEqual(answers[1]?.json(), answers[0]?.json());
        assert.deepEqual(answers[1]?.json()['signed'], { text: 'a b; ü "x" %25', json: { a: [1, 'ü'] } });
      }
      await fc.assert(
        fc.asyncProperty(fc.string({ maxLength: 30 }), fc.boolean(), async (value, genuine) => {
          const signed = `s:${signature.sign(value, genuine ? secret : 'another cat')}`;
          const headers = {
            cookie: `x=${encodeURIComponent(signed)}; y=${encodeURIComponent(`j:${JSON.stringify([value])}`)}`,
          };
          const answers = await Promise.all([peer, ours].map(({ url }) => request(`${url}/read`, { headers })));
          assert.deepEqual(answers[1]?.json(), answers[0]?.json());
        }),
        { numRuns: 100 },
      );
      await Promise.all([peer.close(), ours.close()]);
    });

    it('K6 what is nested deeper than anything can walk stays text, signed or not', async () => {
      const served = await serve(app(express, cookies(secret) as RequestHandler));
      const nested = (depth: number) => `j:${'['.repeat(depth)}${']'.repeat(depth)}`;
      const deep = nested(7000);
      const headers = { cookie: `deep=${deep}; flat=${nested(3)}` };
      const answer = await request(`${served.url}/read`, { headers });
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.json()['cookies'], { deep, flat: [[[]]] });
      const signed = { cookie: `deep=${encodeURIComponent(`s:${signature.sign(nested(1500), secret)}`)}` };
      assert.deepEqual((await request(`${served.url}/read`, { headers: signed })).json()['signed'], {
        deep: nested(1500),
      });
      await served.close();
    });

    it('mounted twice, the one with a secret reads signed cookies, wherever it stands; of two secrets the first counts', async () => {
      const headers = {
        cookie: `plain=1; x=${encodeURIComponent(`s:${signature.sign('signed', secret)}`)}`,
      };
      const [none, ours, others] = [cookies(), cookies(secret), cookies('another cat')] as RequestHandler[];
      const peer = cookieParser(secret);
      for (const order of [
        [none, ours],
        [ours, none],
        [ours, others],
        [none, ours, others],
        [peer, none],
        [ours, peer],
      ]) {
        const made = app(express, order[0] as RequestHandler);
        const outer = express();
        outer.use(...(order as [RequestHandler, ...RequestHandler[]]), made);
        const served = await serve(outer);
        assert.deepEqual((await request(`${served.url}/read`, { headers })).json(), {
          ...{ cookies: { plain: '1' }, signed: { x: 'signed' }, secret },
        });
        await served.close();
      }
    });

    it('what a handler puts into req.cookies, or in its place, stays there', async () => {
      const made = express();
      made.use(cookies(secret) as RequestHandler);
      made.use((req, _res, next) => {
        req.cookies['added'] = 'by a handler';
        req.signedCookies = { replaced: true };
        next();
      });
      made.get('/', (req, res) => void res.json([req.cookies, req.signedCookies]));
      const served = await serve(made);
      const answer = await request(served.url, { headers: { cookie: 'plain=1' } });
      assert.deepEqual(answer.json(), [{ plain: '1', added: 'by a handler' }, { replaced: true }]);
      await served.close();
    });

    it('several keys: the first signs, all verify', async () => {
      const served = await serve(app(express, cookies(['new cat', secret]) as RequestHandler));
      const headers = { cookie: `x=${encodeURIComponent(`s:${signature.sign('old', secret)}`)}` };
      assert.deepEqual((await request(`${served.url}/read`, { headers })).json(), {
        ...{ cookies: {}, signed: { x: 'old' }, secret: 'new cat' },
      });
      await served.close();
    });
  });
}

it('any key and any value: what cookie-signature signed is read', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 200, size: 'max' });
  fc.assert(
    fc.property(text, text, (key, value) => {
      const incoming = { headers: { cookie: `x=${encodeURIComponent(`s:${signature.sign(value, key)}`)}` } };
      cookies(key)(incoming as IncomingMessage, null, () => {});
      assert.equal((incoming as { signedCookies?: { x: string } }).signedCookies?.x, value);
    }),
    // HMAC takes a key of up to 64 bytes as it is, and the hash of a longer one.
    { numRuns: 300, examples: [63, 64, 65].map(length => ['k'.repeat(length), 'value']) },
  );
});

it("Express's signature is of the value alone: one signed cookie's passes as another's, and a declared cookie's does not", async () => {
  const served = await serve(app(EXPRESSES[1]?.express as (typeof EXPRESSES)[number]['express'], cookies(secret)));
  const headers = { cookie: `role=${encodeURIComponent(`s:${signature.sign('admin', secret)}`)}` };
  assert.deepEqual((await request(`${served.url}/read`, { headers })).json()['signed'], { role: 'admin' });
  await served.close();
  const declared = { protection: 'signed', secret: secret.repeat(3) } as const;
  const written = new Headers();
  defineCookie('nickname', declared).write(written, 'admin');
  const moved = (written.getSetCookie()[0] as string).replace('nickname', 'role').split(';')[0] as string;
  assert.equal(defineCookie('role', declared).read(new Headers({ cookie: moved })), undefined);
});

it('a bad secret is refused at construction', () => {
  assert.throws(() => cookies(''), { code: 'ERR_SECRET_MISSING' });
  assert.throws(() => cookies([]), { code: 'ERR_SECRET_MISSING' });
});

it("cookie-parser's option is refused, and not passed over", () => {
  const untyped: (...given: unknown[]) => unknown = cookies as (...given: unknown[]) => unknown;
  assert.throws(() => untyped(secret, { decode: String }), {
    code: 'ERR_OPTION_UNKNOWN',
    message: /decode.*Remove it/,
  });
  assert.throws(() => untyped(secret, { other: 1 }), { code: 'ERR_OPTION_UNKNOWN', message: /There is none/ });
  assert.equal(typeof untyped(secret, {}), 'function');
});

it('options where the secret belongs are told apart from no secret', () => {
  const untyped: (...given: unknown[]) => unknown = cookies as (...given: unknown[]) => unknown;
  assert.throws(() => untyped({ secret }), { code: 'ERR_SECRET_MISSING', message: /Write cookies\(secret\)/ });
});
