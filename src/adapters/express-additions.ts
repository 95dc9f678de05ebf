import { IncomingMessage, type Server, ServerResponse } from 'node:http';

/** From version 13 on, which came with Node 24, V8 does not need this. */
const isNeeded = Number.parseInt(process.versions.node, 10) < 24;

/** What Express adds to each request once it has changed the prototype. */
const TO_REQUESTS = ['next', 'baseUrl', 'originalUrl', '_parsedUrl', 'params', 'route'];
/** What its router adds under symbols of its own, as it names them. */
const OF_ROUTER = /^router\.tracing\./;
/** What Express, and later Node, adds to each response. */
const TO_RESPONSES = ['locals', 'statusCode', 'statusMessage'];

/** Servers whose requests come prepared. */
const prepared = new WeakSet<object>();

/**
 * From the next request on, gives this server's requests and responses the properties that Express is going to add, before it does
 * so, with the values that are found there: `undefined`, and the status 200.
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
  // A server of HTTP/2 would take a listener for the wish for HTTP/1's objects.
  if (request.httpVersionMajor !== 1) return;
  prepared.add(server);
  const { res } = request as { res?: object };
  const toRequests = [...TO_REQUESTS, ...routersOf(request)].filter(isNobodysOn(request, IncomingMessage.prototype));
  const toResponses = TO_RESPONSES.filter(isNobodysOn(res, ServerResponse.prototype));
  server.prependListener('request', (raw, response) => {
    // A class of the application's may have accessors by these names; so has HTTP/2.
    if (Object.getPrototypeOf(raw) === IncomingMessage.prototype) makeOwn(raw, toRequests);
    if (Object.getPrototypeOf(response) === ServerResponse.prototype) makeOwn(response, toResponses);
  });
}

function routersOf(request: object): symbol[] {
  return Object.getOwnPropertySymbols(request).filter(symbol => OF_ROUTER.test(symbol.description ?? ''));
}

/** Whether nobody has put something by this name on Express's prototypes (`app.response.locals`): it would be hidden. */
function isNobodysOn(object: object | undefined, nodes: object): (name: PropertyKey) => boolean {
  const between: object[] = [];
  for (let at = object && Object.getPrototypeOf(object); at && at !== nodes; at = Object.getPrototypeOf(at))
    between.push(at);
  return name => !between.some(prototype => Object.hasOwn(prototype, name));
}

/** Makes what the object has by these names, of its prototype too, properties of its own. */
function makeOwn(object: object, names: readonly PropertyKey[]): void {
  const held = object as Record<PropertyKey, unknown>;
  for (const name of names) {
    const found = held[name];
    held[name] = found;
  }
}
