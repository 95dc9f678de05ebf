import type { IncomingMessage } from 'node:http';
import { frameworkPrototype } from './framework-prototype.ts';

/**
 * Gives requests these properties: Express's once, on their prototype, for the reason that the gate gives; Node's each its own.
 * Which have them is asked of the prototype: to look at the request itself would cost 1.5 µs in Express.
 *
 * @param first the property by which a request shows whether it has them
 * @param beforehand is called with each request that may not have them yet
 */
export function giveProperties(
  properties: PropertyDescriptorMap,
  first: string,
  beforehand: (request: IncomingMessage) => void = () => {},
): (request: IncomingMessage) => void {
  const equipped = new WeakSet<object>();
  return request => {
    const prototype = Object.getPrototypeOf(request);
    if (equipped.has(prototype)) return;
    beforehand(request);
    if (!(first in request)) Object.defineProperties(frameworkPrototype(request), properties);
    if (first in prototype) equipped.add(prototype);
  };
}
