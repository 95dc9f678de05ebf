// The application on Koa. Handlers hold the context.
import { once } from 'node:events';
import { createServer } from 'node:http';
import Koa from 'koa';

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

export async function serve(contender, routes) {
  const server = createServer(listenerOf(contender, routes)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}
