/** How a response looks to its handler while its head is held, or its end. */
import type { ServerResponse } from 'node:http';
import { MadeleineError } from '../errors.ts';
import { frameworkPrototype } from './framework-prototype.ts';
import { streamOf } from './http2.ts';
import { giveEach, listProperties, type Properties } from './own-properties.ts';

/** The gate before a response. */
export interface HoldingGate {
  readonly response: ServerResponse;
  /** The head waits for the save. */
  holdsHead: boolean;
  /** The handler has ended the response, and the end waits for the save. */
  readonly holdsEnd: boolean;
}
type GateOf = (response: ServerResponse) => HoldingGate | undefined;

/** `setHeaders` goes through `setHeader`. */
const METHODS = ['setHeader', 'appendHeader', 'removeHeader'] as const;
const GETTERS = ['headersSent', 'writableEnded'] as const;
const NAMES = [...METHODS, ...GETTERS];
type Originals = Record<(typeof NAMES)[number], (...args: unknown[]) => unknown>;

const PRESENTED = Symbol('madeleine.presented');

/** Holds the head. The returned function lets it go, with the status that it has now, whatever the handler sets until then. */
export function holdHead(gate: HoldingGate, gateOf: GateOf): () => void {
  const { response } = gate;
  const [status, message] = [response.statusCode, messageOf(response)];
  presentHeld(response, gateOf);
  gate.holdsHead = true;
  return () => {
    gate.holdsHead = false;
    // Only what differs: to Express's responses a new property costs 1.5 µs.
    if (response.statusCode !== status) response.statusCode = status;
    if (messageOf(response) !== message) response.statusMessage = message as string;
  };
}

/** HTTP/2 has none, and warns who looks for one. */
function messageOf(response: ServerResponse): string | undefined {
  return streamOf(response) ? undefined : response.statusMessage;
}

/**
 * Refuses a second `writeHead`, as Node does. One that says nothing new may pass: libraries that look at Node's own `_header` to see
 * whether the head was sent (compression before 1.8, and with it Next.js) call it before every write.
 */
export function refuseAnotherHead(response: ServerResponse, status: unknown, given: unknown): ServerResponse {
  const isNew = status !== response.statusCode || (given !== undefined && given !== null);
  // Over HTTP/2 Node refuses nothing once the client has gone.
  if (isNew && !streamOf(response)?.destroyed) refuse(response, 'write');
  return response;
}

/**
 * While the head is held, `headersSent` is true and fields cannot be changed; while the end is held, `writableEnded` is true.
 * Otherwise an error handler that looks whether it may still answer would write into a response that is complete.
 *
 * As with `intercept`, a framework's responses get this once, on their prototype, and it stays: to put five properties on each
 * response, and to take them away again, cost more than everything else that a save does.
 */
export function presentHeld(response: ServerResponse, gateOf: GateOf): void {
  if (PRESENTED in response) return;
  const owner = frameworkPrototype(response);
  giveEach(owner, presentation(owner, gateOf));
}

/** What Node's own responses get, each of them, as their prototype is not ours to change: made once. */
let last: { originals: Originals; properties: Properties } | null = null;

function presentation(owner: ServerResponse, gateOf: GateOf): Properties {
  const originals = originalsOf(owner);
  if (last === null || NAMES.some(name => last?.originals[name] !== originals[name])) {
    last = { originals, properties: listProperties(describe(originals, gateOf)) };
  }
  return last.properties;
}

function originalsOf(owner: ServerResponse): Originals {
  const found: Partial<Originals> = {};
  for (const name of METHODS) found[name] = owner[name] as Originals[typeof name];
  for (const name of GETTERS) found[name] = getterOf(owner, name);
  return found as Originals;
}

function getterOf(object: object, name: string): () => unknown {
  for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at)) {
    const descriptor = Object.getOwnPropertyDescriptor(at, name);
    if (descriptor) return descriptor.get ?? (() => descriptor.value);
  }
  return () => undefined;
}

function describe(originals: Originals, gateOf: GateOf): PropertyDescriptorMap {
  const descriptors: PropertyDescriptorMap = { [PRESENTED]: { value: true } };
  for (const name of METHODS) {
    const value = function (this: ServerResponse, ...args: unknown[]): unknown {
      if (gateOf(this)?.holdsHead) refuse(this, name.slice(0, -'Header'.length));
      return originals[name].apply(this, args);
    };
    descriptors[name] = { value, configurable: true, writable: true };
  }
  const show = (name: (typeof GETTERS)[number], holds: keyof HoldingGate) => {
    const get = function (this: ServerResponse): unknown {
      return gateOf(this)?.[holds] || originals[name].call(this);
    };
    // Node sets neither; a mock has plain properties, which it sets itself.
    const set = function (this: ServerResponse, value: unknown): void {
      Object.defineProperty(this, name, { value, writable: true });
    };
    descriptors[name] = { get, set, configurable: true };
  };
  show('headersSent', 'holdsHead');
  show('writableEnded', 'holdsEnd');
  return descriptors;
}

/** In the words of Node. */
function refuse(response: ServerResponse, verb: string): never {
  throw streamOf(response)
    ? Object.assign(new Error('Response has already been initiated.'), { code: 'ERR_HTTP2_HEADERS_SENT' })
    : Object.assign(new Error(`Cannot ${verb} headers after they are sent to the client`), {
        code: 'ERR_HTTP_HEADERS_SENT',
      });
}

export function heldTooLarge(most: number): MadeleineError {
  return new MadeleineError(
    'ERR_HELD_TOO_LARGE',
    `A handler wrote more than ${most} bytes while its session was being saved.`,
    "Stop when write() answers false and go on at 'drain', as stream.pipe does.",
  );
}
