// Koa through the suite for adapters; what is Koa's alone stands in koa-own.test.ts.
import { Readable } from 'node:stream';
import Koa from 'koa';
import { requireLogin, requireRecentLogin, requireUser, type SessionContext, session } from 'madeleine/koa';
import { adapterConformance, GUARDED_PATHS } from 'madeleine/testing';
import { serve } from '../support/serve.ts';

const ways: Record<string, (ctx: Koa.Context) => void> = {
  text: ctx => {
    ctx.body = 'ok';
  },
  json: ctx => {
    ctx.status = 201;
    ctx.body = { ok: true };
  },
  redirect: ctx => ctx.redirect('/data'),
  'a stream': ctx => {
    ctx.body = Readable.from(['one', 'two', 'x'.repeat(100_000)]);
  },
  'own cookie': ctx => {
    ctx.cookies.set('own', '1');
    ctx.body = 'ok';
  },
  'no content': ctx => {
    ctx.status = 204;
  },
  'nothing set': ctx => {
    ctx.status = 404;
  },
};

const guards = [
  { path: GUARDED_PATHS.requireLogin, guard: requireLogin() },
  { path: GUARDED_PATHS.requireUser, guard: requireUser(id => id === 'ada') },
  { path: GUARDED_PATHS.requireRecentLogin, guard: requireRecentLogin('10m') },
];

adapterConformance({
  name: 'Koa 3',
  ways: Object.keys(ways),
  node: true,
  async serve({ session: options, handle }) {
    const app = new Koa<Koa.DefaultState, SessionContext>();
    app.silent = true;
    const remember = options && session(options);
    if (remember) app.use(remember);
    app.use((ctx, next) => guards.find(({ path }) => ctx.path.startsWith(path))?.guard(ctx, next) ?? next());
    app.use(async ctx => {
      const answer = await handle({ url: ctx.url, session: () => ctx.session });
      if ('way' in answer) return ways[answer.way]?.(ctx);
      if ('node' in answer) {
        ctx.respond = false;
        return answer.node(ctx.req, ctx.res);
      }
      ctx.status = answer.status;
      ctx.set(answer.headers as Record<string, string>);
      ctx.body = answer.body;
    });
    return { ...(await serve(app.callback())), sessions: remember?.sessions };
  },
});
