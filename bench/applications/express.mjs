// The application on Express. Handlers hold the request.
import express from 'express';

export function listenerOf({ mount }, routes) {
  const app = express();
  mount(app);
  for (const [path, answer] of Object.entries(routes)) {
    app.get(path, (request, response, next) => {
      const text = answer(request);
      if (text instanceof Promise) text.then(text => response.send(text), next);
      else response.send(text);
    });
  }
  return app;
}

export function serve(contender, routes) {
  const app = listenerOf(contender, routes);
  return new Promise((resolve, reject) => {
    const server = app.listen(0, '127.0.0.1', error => (error ? reject(error) : resolve(server.address().port)));
  });
}
