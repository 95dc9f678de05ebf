// Fields that are all given to writeHead in one object: the session's go along with them, and into nobody's object.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { memoryStore } from 'madeleine/memory';
import { session } from 'madeleine/node';
import { faultStore } from 'madeleine/testing';
import { Client, request } from '../support/client.ts';
import { serve } from '../support/serve.ts';

const secret = 'a secret of more than thirty-two bytes';
const stores = {
  'a store that answers at once': () => memoryStore(),
  'a store that answers later': () => faultStore(memoryStore(), () => ({ kind: 'delay', time: 5 })),
};

for (const [kind, makeStore] of Object.entries(stores)) {
  /** Each visit is counted, and answered by this. */
  const serveVisits = async (context: TestContext, answer: (res: ServerResponse, visits: number) => void) => {
    const served = await serve(
      session({ secret, store: makeStore() }).withSession((req, res) => {
        req.session.visits = (req.session.visits ?? 0) + 1;
        answer(res, req.session.visits);
      }),
    );
    context.after(served.close);
    return served.url;
  };

  describe(`writeHead with one object, and ${kind}`, () => {
    it('gives each visitor a cookie of their own, though all share the object', async context => {
      const shared = Object.freeze({ 'content-type': 'text/plain' });
      const open = { 'content-type': 'text/plain' };
      const url = await serveVisits(context, (res, visits) => {
        res.writeHead(200, visits % 2 ? shared : open);
        res.end(String(visits));
      });
      const [one, other] = [new Client(url), new Client(url)];
      for (const visit of ['1', '2', '3', '4']) {
        assert.equal((await one.get('/')).body, visit);
        assert.equal((await other.get('/')).body, visit);
      }
      assert.notEqual(one.jar.get('session'), other.jar.get('session'));
      assert.deepEqual([shared, open], [{ 'content-type': 'text/plain' }, { 'content-type': 'text/plain' }]);
      const { headers } = await request(url);
      assert.deepEqual(
        [headers['content-type'], headers.vary, headers['cache-control']],
        ['text/plain', 'Cookie', 'no-store'],
      );
    });

    it('joins what is given under the same names, in whatever case', async context => {
      const url = await serveVisits(context, res => {
        res.writeHead(200, {
          vary: 'Accept',
          'CACHE-CONTROL': 'private, max-age=60',
          'set-cookie': ['a=1', 'session=of somebody else'],
        });
        res.end();
      });
      const { headers } = await request(url);
      assert.deepEqual([headers.vary, headers['cache-control']], ['Accept, Cookie', 'private, max-age=60']);
      assert.match(headers['set-cookie']?.join('\n') ?? '', /^a=1\nsession=1\.[^\n]+$/);
    });

    it('takes the last of what is given twice, in two cases', async context => {
      const url = await serveVisits(context, res => {
        const caching = { 'Cache-Control': 'private', 'cache-control': 'public, max-age=60' };
        res.writeHead(200, { Vary: 'A', vary: 'B', ...caching });
        res.end();
      });
      const { headers } = await request(url);
      assert.deepEqual([headers.vary, headers['cache-control']], ['B, Cookie', 'no-store']);
    });

    it('takes the last of any other, too, and leaves nothing of a head that Node refuses', async context => {
      const twice = { 'X-Name': 'Zoe', 'x-name': 'Ada' };
      const url = await serveVisits(context, res => {
        try {
          res.writeHead(200, { ...twice, 'x-bad': '\n' });
        } catch {
          res.end('refused');
        }
      });
      assert.equal((await request(url)).headers['x-name'], undefined);
      const other = await serveVisits(context, res => res.writeHead(200, twice).end());
      assert.equal((await request(other)).headers['x-name'], 'Ada');
    });

    it('gives the cookie along with what is answered instead, when Node refuses the head for another reason', async context => {
      const url = await serveVisits(context, (res, visits) => {
        try {
          res.writeHead(1000, { 'x-name': 'Zoe' });
        } catch {
          res.writeHead(502);
        }
        res.end(String(visits));
      });
      const client = new Client(url);
      const first = await client.get('/');
      // Where the store answers later, it is refused after the handler is done, and the error is all there is to say.
      if (first.status !== 502) return assert.equal(first.status, 500);
      assert.deepEqual([first.headers.vary, (await client.get('/')).body], ['Cookie', '2']);
    });

    it('leaves what is no part of the body to the error that takes the place of the answer', async context => {
      const broken = faultStore(makeStore(), ({ operation }) => (operation === 'create' ? { kind: 'fail' } : null));
      const served = await serve(
        session({ secret, store: broken }).withSession((req, res) => {
          req.session.visits = 1;
          res.writeHead(200, {
            'content-type': 'text/html',
            'x-request-id': '7',
            'content-security-policy': 'default-src',
          });
          res.end('<p>');
        }),
      );
      context.after(served.close);
      const { status, headers } = await request(served.url);
      assert.equal(status, 503);
      assert.deepEqual([headers['x-request-id'], headers['content-security-policy']], ['7', 'default-src']);
      assert.notEqual(headers['content-type'], 'text/html');
    });

    it('holds a response that has something else than its request, as one of serverless-http', async () => {
      const sessions = session({ secret, store: makeStore() });
      const req = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', url: '/' });
      const res = new ServerResponse({ method: 'GET' } as IncomingMessage);
      const wire = new PassThrough();
      res.assignSocket(wire as unknown as Socket);
      sessions(req, res, () => {
        sessions.of(req).visits = 1;
        setImmediate(() => res.end('done'));
      });
      await once(res, 'finish');
      assert.match(String(wire.read()), /^Set-Cookie: session=1\./m);
    });

    for (const [what, fields] of Object.entries({
      'a value': { 'x-name': 'Zoë ✓' },
      'a name': { 'x name': 'Zoe' },
      'one of several values': { 'x-names': ['Zoe', 'Zoë ✓'] },
    })) {
      it(`refuses ${what} that Node refuses before anything is done, so the handler may answer otherwise`, async context => {
        const codes: string[] = [];
        const url = await serveVisits(context, (res, visits) => {
          try {
            res.writeHead(200, fields);
          } catch (error) {
            codes.push((error as { code: string }).code);
            res.writeHead(500, { 'x-visits': visits });
          }
          res.end();
        });
        const client = new Client(url);
        for (const visits of ['1', '2']) {
          const { status, headers } = await client.get('/');
          assert.deepEqual([status, headers['x-visits']], [500, visits]);
        }
        assert.equal(codes.length, 2);
        for (const code of codes) assert.match(code, /^ERR_INVALID_(CHAR|HTTP_TOKEN)$/);
      });
    }
  });
}
