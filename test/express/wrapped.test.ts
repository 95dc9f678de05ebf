// Responses that another library took hold of before Express did: its methods lead past those that are on Express's prototype.
import assert from 'node:assert/strict';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import connect from 'connect';
import type { Express, RequestHandler } from 'express';
import { cookies, session } from 'madeleine/express';
import { memoryStore } from 'madeleine/memory';
import { faultStore } from 'madeleine/testing';
import { Client } from '../support/client.ts';
import { anotherExpress, EXPRESSES } from '../support/expresses.ts';
import { serve } from '../support/serve.ts';

type Around = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
const compression = createRequire(import.meta.url)('compression') as (options: object) => Around & RequestHandler;
const secret = 'a secret of more than thirty-two bytes';
const stores = { 'at once': memoryStore, later: () => faultStore(memoryStore(), () => ({ kind: 'delay', time: 2 })) };

const count: RequestHandler = (req, res) => {
  req.session.visits = (req.session.visits ?? 0) + 1;
  res.json({ visits: req.session.visits });
};

const ways: Record<string, (app: Express) => RequestListener> = {
  'compression around it': app => {
    const compress = compression({ threshold: 0 });
    return (req, res) => compress(req, res, () => app(req, res));
  },
  'below compression in connect': app =>
    connect()
      .use(compression({ threshold: 0 }))
      .use(app) as unknown as RequestListener,
  'an end() of somebody else': app => (req, res) => {
    const { end } = res;
    res.end = function (this: ServerResponse, ...given: unknown[]) {
      return end.apply(this, given as Parameters<typeof end>);
    } as typeof end;
    app(req, res);
  },
};

/** The answers to these paths, one after the other, by one browser. */
async function ask(listener: RequestListener, paths: readonly string[]): Promise<unknown[]> {
  const { url, close } = await serve(listener);
  const client = new Client(url);
  const answers: unknown[] = [];
  for (const path of paths) {
    const { body, setCookies } = await client.get(path, { headers: { 'accept-encoding': 'identity' } });
    answers.push([body, setCookies.length]);
  }
  await close();
  return answers;
}

for (const { name, express } of EXPRESSES) {
  describe(`${name}, with a store that answers`, () => {
    for (const [when, makeStore] of Object.entries(stores)) {
      for (const [way, wrap] of Object.entries(ways)) {
        it(`${when}: ${way}, every response is held until its session is saved`, async () => {
          const app = express();
          app.use(session({ secret, store: makeStore() }));
          app.get('/plain', (_req, res) => void res.send('plain'));
          app.get('/count', count);
          const expected = [
            ['plain', 0],
            ['{"visits":1}', 1],
            ['{"visits":2}', 0],
            ['{"visits":3}', 0],
          ];
          assert.deepEqual(await ask(wrap(app), ['/plain', '/count', '/count', '/count']), expected);
        });
      }

      it(`${when}: into another copy of Express, with the same session() there, every response is held`, async () => {
        const remember = session({ secret, store: makeStore() });
        const inner = anotherExpress()();
        inner.get('/of', (req, res) => {
          const held = remember.of(req);
          held.visits = (held.visits ?? 0) + 1;
          res.json({ visits: held.visits });
        });
        inner.use(remember).get('/count', count);
        const outer = express().use(remember);
        outer.get('/plain', (_req, res) => void res.send('plain'));
        // Not mounted, which would give it our prototypes: called as vhost calls it.
        outer.use((req, res, next) => inner(req, res, next));
        const expected = [
          ['plain', 0],
          ['{"visits":1}', 1],
          ['{"visits":2}', 0],
          ['{"visits":3}', 0],
        ];
        assert.deepEqual(await ask(outer, ['/plain', '/of', '/of', '/count']), expected);
        assert.deepEqual(await ask(outer, ['/plain', '/count', '/count', '/of']), expected);
      });

      it(`${when}: in another Express, both with a session, below compression`, async () => {
        const remember = session({ secret, store: makeStore() });
        const inner = express().use(remember).get('/count', count);
        for (const other of EXPRESSES) {
          const outer = other.express();
          outer.use(compression({ threshold: 0 }) as RequestHandler);
          outer.get('/count', remember, count);
          outer.use('/inner', (req, res, next) => inner(req, res, next));
          const answers = await ask(outer, ['/count', '/inner/count', '/count', '/inner/count']);
          assert.deepEqual(
            answers.map(answer => (answer as unknown[])[0]),
            [1, 2, 3, 4].map(visits => JSON.stringify({ visits })),
          );
        }
      });
    }
  });
}

for (const { name, express } of EXPRESSES) {
  it(`${name}: cookies() in another copy of Express, where they have been read before`, async () => {
    const inner = anotherExpress()().use(cookies(secret));
    inner.get('/', (req, res) => void res.json([req.cookies, req.secret === secret]));
    const outer = express().use(cookies(secret));
    outer.use((req, res, next) => inner(req, res, next));
    const { url, close } = await serve(outer);
    const answer = await new Client(url).get('/', { headers: { cookie: 'taste=sweet' } });
    assert.deepEqual(answer.json<unknown>(), [{ taste: 'sweet' }, true]);
    await close();
  });
}
