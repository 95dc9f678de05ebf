import type { IncomingMessage, Server } from 'node:http';

/** V8 can do without this from version 13 on, which came with Node 24. */
const isNeeded = Number.parseInt(process.versions.node, 10) < 24;

/** What Express adds to each request once it has changed the prototype. */
const TO_REQUESTS = ['next', 'baseUrl', 'originalUrl', '_parsedUrl', 'params', 'route'];
/** What its router adds under symbols of its own, as it names them. */
const OF_ROUTER = /^router\b/;
/** What Express, and later Node, adds to each response. */
const TO_RESPONSES = ['locals', 'statusCode', 'statusMessage'];

/** Servers whose requests come prepared. */
const prepared = new WeakSet<object>();

/**
 * Has this server's requests and responses begin, from the next one on, with the properties that Express is going to add to
 * them, as they are found before: `undefined`, and the status 200.
 *
 * Express gives each of them another prototype. After that, every property that is added makes V8 a hidden class for this
 * one object, and whoever looks something up on it, Express, Node or we, meets a class never seen before. With nothing left
 * to add all requests keep one class: Express itself then takes half the time, and of what a session adds most is gone.
 */
export function addBeforehand(request: IncomingMessage): void {
  if (!isNeeded) return;
  const server = (request.socket as { server?: Partial<Server> | null } | undefined)?.server;
  // A request that was made by hand has none, or something else.
  if (typeof server?.prependListener !== 'function' || prepared.has(server)) return;
  prepared.add(server);
  const toRequests = [...TO_REQUESTS, ...routersOf(request)];
  server.prependListener('request', (raw, response) => {
    // Those of HTTP/2, which a server may have beside them, are of another kind.
    if (raw.httpVersionMajor !== 1) return;
    makeOwn(raw, toRequests);
    makeOwn(response, TO_RESPONSES);
  });
}

function routersOf(request: object): symbol[] {
  return Object.getOwnPropertySymbols(request).filter(symbol => OF_ROUTER.test(symbol.description ?? ''));
}

/** What the prototype answers with is the object's own from now on. */
function makeOwn(object: object, names: readonly PropertyKey[]): void {
  const held = object as Record<PropertyKey, unknown>;
  for (const name of names) {
    const found = held[name];
    held[name] = found;
  }
}
