// What is Koa's alone: its error handling, its cookies, koa-compress, proxies.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import Koa from 'koa';
import { requireLogin, type SessionContext, session } from 'madeleine/koa';
import { memoryStore } from 'madeleine/memory';
import { faultStore } from 'madeleine/testing';
import { Client, request } from '../support/client.ts';
import { serve } from '../support/serve.ts';
import { warningsIn } from '../support/warnings.ts';

const secret = 'a secret of more than thirty-two bytes';
const compress = createRequire(import.meta.url)('koa-compress') as () => Koa.Middleware;
const LONG = 'madeleine '.repeat(3000);
const create = () => new Koa<Koa.DefaultState, SessionContext>();

function visit(ctx: SessionContext & { body: unknown }): void {
  ctx.session.visits = (ctx.session.visits ?? 0) + 1;
  ctx.body = LONG;
}

describe('Koa', () => {
  it('a save that fails goes the way of Koa’s errors: ctx.onerror, and the event', async () => {
    for (const time of [0, 20]) {
      const app = create();
      const store = faultStore(memoryStore(), ({ operation }) =>
        operation === 'create' ? { kind: 'fail' } : { kind: 'delay', time },
      );
      const heard = new Promise(resolve => app.on('error', resolve));
      app.use(session({ secret, store })).use(ctx => visit(ctx));
      const served = await serve(app.callback());
      const answer = await request(served.url);
      assert.deepEqual([answer.status, answer.body], [503, 'Service Unavailable']);
      assert.deepEqual(answer.setCookies, []);
      assert.equal(((await heard) as { code: string }).code, 'ERR_STORE_FAILED');
      await served.close();
    }
  });

  for (const order of ['before', 'after'] as const) {
    it(`koa-compress ${order} it, and ctx.cookies as ever`, async () => {
      for (const store of [memoryStore(), faultStore(memoryStore(), () => ({ kind: 'delay', time: 10 }))]) {
        const app = create();
        app.keys = ['keys of Koa'];
        const both = [compress(), session({ secret, store }) as Koa.Middleware];
        for (const one of order === 'before' ? both : both.reverse()) app.use(one);
        app.use(ctx => {
          const seen = ctx.cookies.get('own', { signed: true });
          ctx.cookies.set('own', `${seen ?? ''}x`, { signed: true });
          ctx.set('X-Seen', seen ?? 'nothing');
          visit(ctx);
        });
        const served = await serve(app.callback());
        const client = new Client(served.url);
        const first = await client.get('/', { headers: { 'accept-encoding': 'gzip' } });
        assert.equal(first.headers['content-encoding'], 'gzip');
        assert.deepEqual([...client.jar.keys()].sort(), ['own', 'own.sig', 'session']);
        const second = await client.get('/');
        assert.deepEqual([second.body, second.headers['x-seen']], [LONG, 'x']);
        await served.close();
      }
    });
  }

  it('flash messages, of(), https as app.proxy tells, and no assigning', async () => {
    const app = create();
    app.proxy = true;
    const remember = session({ secret });
    app.use(remember);
    app.use(ctx => {
      assert.throws(() => Object.assign(ctx, { session: null }), { code: 'ERR_DATA_KEY' });
      ctx.flash('info', 'Saved.');
      assert.equal(remember.of(ctx), ctx.session);
      ctx.body = ctx.flash('info');
    });
    const served = await serve(app.callback());
    const answer = await request(served.url, { headers: { 'x-forwarded-proto': 'https' } });
    assert.equal(answer.body, '["Saved."]');
    assert.deepEqual(answer.setCookies, [], 'nothing was left to store');
    await served.close();
  });

  it('a guard before the session says which line to move', async () => {
    const app = create();
    app.use(requireLogin()).use(session({ secret }));
    const heard = new Promise<Error>(resolve => app.on('error', resolve));
    const served = await serve(app.callback());
    assert.equal((await request(served.url)).status, 500);
    assert.match((await heard).message, /Move session\(\) above the line .*koa-own\.test\.js:\d+:\d+/);
    await served.close();
  });

  it('a guard in an application under koa-mount sends back to the whole path', async () => {
    const app = create();
    app.use(session({ secret }));
    // As koa-mount does, which writes to the request's own target.
    app.use((ctx, next) => {
      ctx.path = ctx.path.replace('/members', '');
      return next();
    });
    app.use(requireLogin());
    const served = await serve(app.callback());
    const answer = await request(`${served.url}/members/profile?tab=2`, { headers: { accept: 'text/html' } });
    assert.equal(answer.headers.location, `/login?returnTo=${encodeURIComponent('/members/profile?tab=2')}`);
    await served.close();
  });

  it('koa-session left above session() is named, and of() reaches ours', async context => {
    const warnings = warningsIn(context);
    const app = create();
    const remember = session({ secret });
    // As koa-session does, when the application is made.
    Object.defineProperty(app.context, 'session', { get: () => ({ theirs: true }), configurable: true });
    app.use(remember).use(ctx => {
      remember.of(ctx).visits = (remember.of(ctx).visits ?? 0) + 1;
      ctx.body = { ...ctx.session, visits: remember.of(ctx).visits };
    });
    const served = await serve(app.callback());
    const client = new Client(served.url);
    await client.get('/');
    assert.deepEqual((await client.get('/')).json(), { theirs: true, visits: 2 });
    const ours = warnings.filter(({ code }) => code === 'MADELEINE_SHADOWED');
    assert.match(ours.join(), /^[^,]*ctx\.session is that of another library, such as koa-session.*of\(ctx\)/);
    await served.close();
  });
});
