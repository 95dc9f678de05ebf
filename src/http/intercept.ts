/** Makes a Node response ask someone before anything of it leaves. */
import type { ServerResponse } from 'node:http';
import { frameworkPrototype } from './framework-prototype.ts';

const METHODS = ['writeHead', 'flushHeaders', 'write', 'end'] as const;
type MethodName = (typeof METHODS)[number];
/** Three arguments are the most that any of them takes; a list of arguments for each call would have to be made and collected. */
type Method = (first?: unknown, second?: unknown, third?: unknown) => unknown;
/** A response's methods as they were before: Node's own, or another library's. */
export type Below = Record<MethodName, Method>;
/** Who is asked instead, and told what is below: a response may ask twice, on its prototype and above another library's methods. */
type Interceptor = Record<MethodName, (below: Below, first?: unknown, second?: unknown, third?: unknown) => unknown>;
type InterceptorOf = (response: ServerResponse) => Interceptor | undefined;

/** The methods that a framework's prototype had, and those that it has been given. */
const LAYER = Symbol('madeleine.layer');
interface Layer {
  readonly below: Below;
  readonly asking: Below;
}
type Intercepted = Below & { [LAYER]?: Layer };

/**
 * Makes the response ask its interceptor, where there is one.
 *
 * A framework's responses get this once, on their shared prototype: in Express a new property of a single response costs
 * 1.5 µs, so four of them for each request would cost more than everything else that a session does.
 */
export function intercept(response: ServerResponse, interceptorOf: InterceptorOf): void {
  const intercepted = response as unknown as Intercepted;
  const layer = intercepted[LAYER];
  if (layer && isSame(intercepted, layer.asking)) return;
  const below = methodsOf(intercepted);
  if (layer) {
    // Another library (compression, say) has put methods of its own on this response. Only those are replaced: a new property is dear.
    const { asking } = layerAbove(below, interceptorOf);
    for (const name of METHODS) if (below[name] !== layer.asking[name]) intercepted[name] = asking[name];
    return;
  }
  const owner = frameworkPrototype(intercepted);
  if (owner !== intercepted) {
    const shared = layerAbove(methodsOf(owner), interceptorOf);
    put(owner, shared.asking);
    Object.defineProperty(owner, LAYER, { value: shared });
  }
  // This too for the first response of a framework: another library may have wrapped its methods before the prototype's were replaced.
  if (last === null || !isSame(last.below, below)) last = layerAbove(below, interceptorOf);
  put(intercepted, last.asking);
}

/**
 * The same for a response that has come into another copy of Express since (one of another version, called as a function): that
 * has given it prototypes of its own, whose methods ask nobody.
 */
export function interceptAgain(response: ServerResponse, interceptorOf: InterceptorOf): void {
  if (!(LAYER in response) && frameworkPrototype(response) !== response) intercept(response, interceptorOf);
}

/** The layer of Node's own responses, whose prototype is not ours to change: made once, and put on each by four assignments. */
let last: Layer | null = null;

function layerAbove(below: Below, interceptorOf: InterceptorOf): Layer {
  return { below, asking: askingMethods(below, interceptorOf) };
}

function methodsOf({ writeHead, flushHeaders, write, end }: Below): Below {
  return { writeHead, flushHeaders, write, end };
}

// By name, here and below: each of Node's own responses comes here, and loops over the four names would cost it 1 µs.
function isSame(one: Below, other: Below): boolean {
  return (
    one.writeHead === other.writeHead &&
    one.flushHeaders === other.flushHeaders &&
    one.write === other.write &&
    one.end === other.end
  );
}

function put(target: Below, { writeHead, flushHeaders, write, end }: Below): void {
  target.writeHead = writeHead;
  target.flushHeaders = flushHeaders;
  target.write = write;
  target.end = end;
}

function askingMethods(below: Below, interceptorOf: InterceptorOf): Below {
  const ask = (name: MethodName) =>
    function (this: ServerResponse, first?: unknown, second?: unknown, third?: unknown): unknown {
      const interceptor = interceptorOf(this);
      return interceptor
        ? interceptor[name](below, first, second, third)
        : below[name].call(this, first, second, third);
    };
  return { writeHead: ask('writeHead'), flushHeaders: ask('flushHeaders'), write: ask('write'), end: ask('end') };
}

/**
 * From here on the response answers as it came from Node and its framework: past us, and past what others put before it,
 * which may have ended with a body that is not to be sent. The returned function undoes this.
 */
export function bypass(response: ServerResponse): () => void {
  const intercepted = response as unknown as Intercepted;
  const direct = intercepted[LAYER]?.below ?? (Object.getPrototypeOf(intercepted) as Below);
  const present = METHODS.map(name => Object.getOwnPropertyDescriptor(intercepted, name));
  for (const name of METHODS) intercepted[name] = direct[name];
  return () => {
    for (const [i, name] of METHODS.entries()) {
      const descriptor = present[i];
      if (descriptor) Object.defineProperty(intercepted, name, descriptor);
      else Reflect.deleteProperty(intercepted, name);
    }
  };
}
