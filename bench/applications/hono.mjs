// The application on Hono, on Node. Handlers hold the context.
import { serve as serveFetch } from '@hono/node-server';
import { Hono } from 'hono';

export function serve({ mount }, routes) {
  const app = new Hono();
  mount(app);
  for (const [path, answer] of Object.entries(routes)) {
    app.get(path, c => {
      const text = answer(c);
      return text instanceof Promise ? text.then(text => c.text(text)) : c.text(text);
    });
  }
  return new Promise(resolve => {
    serveFetch({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(port));
  });
}
