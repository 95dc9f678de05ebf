/** Makes a Node response ask someone before anything of it leaves. */
import { type IncomingMessage, ServerResponse } from 'node:http';
import { frameworkPrototype } from './framework-prototype.ts';

const METHODS = ['writeHead', 'flushHeaders', 'write', 'end'] as const;
type MethodName = (typeof METHODS)[number];
/** Three arguments are the most that any of them takes; a list of arguments for each call would have to be made and collected. */
type Method = (first?: unknown, second?: unknown, third?: unknown) => unknown;
/** A response's methods as they were before: Node's own, or another library's. */
export type Below = Record<MethodName, Method>;
/** Who is asked in their stead. */
type Interceptor = Record<MethodName, Method>;

const BELOW = Symbol('madeleine.below');

/**
 * Makes the response ask its request's interceptor, where there is one, and answers with its methods as they were.
 *
 * A framework's responses get this once, on their shared prototype: in Express a new property of a single response costs
 * 1.5 µs, so four of them for each request would cost more than everything else that a session does.
 */
export function intercept(
  response: ServerResponse,
  interceptorOf: (request: IncomingMessage) => Interceptor | undefined,
): Below {
  const found = (response as { [BELOW]?: Below })[BELOW];
  if (found) return found;
  const owner = frameworkPrototype(response, ServerResponse.prototype);
  const { writeHead, flushHeaders, write, end } = owner;
  const methods = { writeHead, flushHeaders, write, end } as unknown as Below;
  const ask = (name: MethodName) =>
    function (this: ServerResponse, first?: unknown, second?: unknown, third?: unknown): unknown {
      const interceptor = interceptorOf(this.req);
      return interceptor ? interceptor[name](first, second, third) : methods[name].call(this, first, second, third);
    };
  for (const name of METHODS) {
    Object.defineProperty(owner, name, { value: ask(name), writable: true, configurable: true, enumerable: false });
  }
  Object.defineProperty(owner, BELOW, { value: methods });
  return methods;
}
