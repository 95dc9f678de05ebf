// The application on Koa. Handlers hold the context.
import Koa from 'koa';
import { serveListener } from './node.mjs';

export function listenerOf({ mount }, routes) {
  const app = new Koa();
  mount(app);
  const answers = new Map(Object.entries(routes));
  app.use(async ctx => {
    const answer = answers.get(ctx.path);
    if (answer) ctx.body = await answer(ctx);
  });
  return app.callback();
}

export function serve(contender, routes) {
  return serveListener(listenerOf(contender, routes));
}
