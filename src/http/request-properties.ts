import type { IncomingMessage } from 'node:http';
import { frameworkPrototype } from './framework-prototype.ts';
import { giveEach, listProperties } from './own-properties.ts';

/** Marks prototypes that this copy of the package has given properties: those of another copy know nothing of our requests. */
const THIS_COPY = {};

/**
 * Gives requests these properties: Express's once, on their prototype (see `intercept`); Node's each its own. Which have them is
 * remembered by prototype: to look at the request itself would cost 1.5 µs in Express.
 *
 * @param first the property by which a request shows whether it has them
 * @param beforehand is called with each request that may not have them yet
 */
export function giveProperties(
  properties: PropertyDescriptorMap,
  first: string,
  beforehand: (request: IncomingMessage) => void = () => {},
): (request: IncomingMessage) => void {
  const list = listProperties(properties);
  const equipped = new WeakSet<object>();
  const giver = Symbol.for(`madeleine.giver.${first}`);
  const isOfAnotherCopy = (object: object) => (Reflect.get(object, giver) ?? THIS_COPY) !== THIS_COPY;
  return request => {
    const prototype = Object.getPrototypeOf(request);
    if (equipped.has(prototype)) return;
    beforehand(request);
    if (!(first in request)) {
      const owner = frameworkPrototype(request);
      giveEach(owner, list);
      if (owner !== request) Object.defineProperty(owner, giver, { value: THIS_COPY });
    } else if (isOfAnotherCopy(request) && !Object.hasOwn(request, first)) {
      giveEach(request, list);
    }
    if (first in prototype && !isOfAnotherCopy(prototype)) equipped.add(prototype);
  };
}
