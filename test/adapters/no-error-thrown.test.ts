// Frameworks go on where a callback is given nothing, or 'route': what an application throws that is no error must not read as that.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Fastify from 'fastify';
import Koa from 'koa';
import { requireUser, session } from 'madeleine/express';
import * as onFastify from 'madeleine/fastify';
import * as onKoa from 'madeleine/koa';
import * as onNode from 'madeleine/node';
import { request } from '../support/client.ts';
import { EXPRESSES } from '../support/expresses.ts';
import { type Served, serve, serveOn } from '../support/serve.ts';

const secret = 'a secret of more than thirty-two bytes';
const THROWN = [undefined, null, false, 0, '', 'route', 'router'];
const WAYS: Array<(thrown: unknown) => Promise<never>> = [
  thrown => {
    throw thrown;
  },
  thrown => Promise.reject(thrown),
];

/** What two requests to this path are answered with: the first begins a session. */
async function statuses(served: Served, path: string): Promise<number> {
  const { setCookies } = await request(`${served.url}/login`);
  const cookie = setCookies.map(line => line.split(';')[0]).join('; ');
  const { status } = await request(served.url + path, { headers: { cookie } });
  await served.close();
  return status;
}

for (const thrown of THROWN) {
  describe(`what is thrown is ${JSON.stringify(thrown) ?? 'undefined'}`, () => {
    for (const [way, fail] of Object.entries(WAYS)) {
      for (const { name, express } of EXPRESSES) {
        it(`by the predicate of requireUser(), nobody passes: ${name}, ${way}`, async () => {
          const app = express();
          app.use(session({ secret }));
          app.get('/login', async (req, res) => {
            await req.session.login('ada');
            res.end();
          });
          let error: unknown;
          app.use(requireUser(() => fail(thrown)));
          app.use((_req: unknown, res: { end(text: string): void }) => res.end('reached'));
          app.use(((reason, _req, res, _next) => {
            error = reason;
            res.status(500).end();
          }) as import('express').ErrorRequestHandler);
          assert.equal(await statuses(await serve(app), '/'), 500);
          const { code, cause } = error as { code: string; cause: unknown };
          assert.deepEqual([code, cause], ['ERR_NOT_AN_ERROR', thrown]);
        });
      }

      it(`the same: Fastify, ${way}`, async () => {
        const app = Fastify();
        app.register(onFastify.session, { secret });
        app.get('/login', async req => {
          await req.session.login('ada');
          return '';
        });
        app.get('/', { onRequest: onFastify.requireUser(() => fail(thrown)) }, async () => 'reached');
        await app.ready();
        assert.equal(await statuses(await serveOn(app.server), '/'), 500);
      });

      it(`the same: Koa answers, ${way}`, async () => {
        const app = new Koa<Koa.DefaultState, onKoa.SessionContext>();
        app.silent = true;
        app.use(onKoa.session({ secret }));
        app.use(async (ctx, next) => {
          if (ctx.path !== '/login') return next();
          await ctx.session.login('ada');
          ctx.body = '';
        });
        app.use(onKoa.requireUser(() => fail(thrown)) as unknown as Koa.Middleware);
        app.use(ctx => {
          ctx.body = 'reached';
        });
        assert.equal(await statuses(await serve(app.callback()), '/'), 500);
      });
    }

    for (const { name, express } of EXPRESSES) {
      it(`by an update() that nobody awaits, no later handler is asked: ${name}`, async () => {
        const app = express();
        app.use(session({ secret }));
        app.get('/', (req, res) => {
          void req.session.update(() => Promise.reject(thrown));
          res.end('saved');
        });
        let asked = false;
        let error: unknown;
        app.use((_req: unknown, res: { end(text: string): void }) => {
          asked = true;
          res.end('later');
        });
        app.use(((reason, _req, res, _next) => {
          error = reason;
          res.status(500).end();
        }) as import('express').ErrorRequestHandler);
        const served = await serve(app);
        const { status } = await request(served.url);
        await served.close();
        assert.deepEqual([status, asked], [500, false]);
        assert.equal((error as { code: string }).code, 'ERR_NOT_AN_ERROR');
      });
    }

    it('by an update() that nobody awaits, the listener of plain Node runs once; also where it is long over', async () => {
      for (const isOver of [false, true]) {
        let runs = 0;
        const { withSession } = onNode.session({ secret });
        const served = await serve(
          withSession(async (req, res) => {
            if (++runs > 1) return void res.end('again');
            void req.session.update(() => Promise.reject(thrown));
            // Some turns of the event loop: by then the call is no longer under way.
            if (isOver) for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
            res.end('saved');
          }),
        );
        const { status } = await request(served.url);
        await served.close();
        assert.deepEqual([status, runs], [500, 1]);
      }
    });
  });
}
