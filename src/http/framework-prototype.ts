const NODES = new Set(['IncomingMessage', 'ServerResponse', 'Http2ServerRequest', 'Http2ServerResponse']);

/** Prototypes that were found to be Node's. */
const found = new WeakSet<object>();

/**
 * The outermost prototype that a framework put between its requests or responses and Node's; the object itself where there
 * is none, or where no request or response of Node's is underneath (socket.io's stand-in for a response, a mock): up there are only prototypes
 * that all of the process shares. Node's are known by name: importing node:http2 for its own would cost every start some milliseconds.
 */
export function frameworkPrototype<T extends object>(object: T): T {
  let owner: T = object;
  for (let next = Object.getPrototypeOf(object); next !== null; next = Object.getPrototypeOf(next)) {
    if (isNodes(next)) return owner;
    owner = next;
  }
  return object;
}

function isNodes(prototype: object): boolean {
  if (found.has(prototype)) return true;
  const isNodes = Object.hasOwn(prototype, 'constructor') && NODES.has(prototype.constructor.name);
  if (isNodes) found.add(prototype);
  return isNodes;
}
