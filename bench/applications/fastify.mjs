// The application on Fastify. Handlers hold the request.
import Fastify from 'fastify';

function applicationOf({ mount }, routes) {
  const app = Fastify();
  mount(app);
  for (const [path, answer] of Object.entries(routes)) {
    // Fastify waits for the plugins first, so that their hooks are there for the routes.
    app.after(() => {
      app.get(path, (request, reply) => {
        const text = answer(request);
        // A handler of Fastify that has sent nothing and gives no promise would be waited for.
        if (text instanceof Promise) return text;
        reply.send(text);
      });
    });
  }
  return app;
}

export async function listenerOf(contender, routes) {
  const app = applicationOf(contender, routes);
  await app.ready();
  return app.routing;
}

export async function serve(contender, routes) {
  const app = applicationOf(contender, routes);
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server.address().port;
}
