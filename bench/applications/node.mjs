// The application on node:http alone. Handlers hold the request. A contender stands around the listener: `wrap(listener)`.
import { once } from 'node:events';
import { createServer } from 'node:http';

export function listenerOf({ wrap }, routes) {
  const answers = new Map(Object.entries(routes));
  return wrap((request, response) => {
    const text = answers.get(request.url)(request);
    if (text instanceof Promise) text.then(send, error => response.destroy(error));
    else send(text);

    function send(text) {
      response.setHeader('Content-Type', 'text/plain; charset=utf-8');
      response.end(text);
    }
  });
}

export function serve(contender, routes) {
  return serveListener(listenerOf(contender, routes));
}

/** @returns the port */
export async function serveListener(listener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}
