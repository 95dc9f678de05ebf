const NODES = new Set(['IncomingMessage', 'ServerResponse', 'Http2ServerRequest', 'Http2ServerResponse']);

/**
 * The outermost prototype that a framework put between its requests or responses and Node's; the object itself where there
 * is none. Node's are known by name: importing node:http2 for its own would cost every start some milliseconds.
 */
export function frameworkPrototype<T extends object>(object: T): T {
  let owner: T = object;
  for (let next = Object.getPrototypeOf(object); next !== null && !isNodes(next); next = Object.getPrototypeOf(next)) {
    owner = next;
  }
  return owner;
}

function isNodes(prototype: object): boolean {
  return Object.hasOwn(prototype, 'constructor') && NODES.has(prototype.constructor.name);
}
