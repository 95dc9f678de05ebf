/** Finds the gate before a response, by the response or by its request. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { holderOf } from './request-holder.ts';

export interface GateFinder<Gate> {
  of(request: IncomingMessage): Gate | undefined;
  before(response: ServerResponse): Gate | undefined;
  put(request: IncomingMessage, gate: Gate): void;
}

const GATE: unique symbol = Symbol('madeleine.gate');

export function createGateFinder<Gate extends { readonly response: ServerResponse }>(): GateFinder<Gate> {
  type Holder = { [GATE]?: Gate };
  /**
   * The request that was asked last, which is nearly always the one that is asked next. Where something is added to Express's
   * requests, each has a hidden class of its own (`express-additions`), so whatever is looked up on one costs 0.5 µs, and a gate is
   * looked for six times. Forgotten when the handler comes to a pause: nothing of a request is kept alive by it.
   */
  let latest: IncomingMessage | null = null;
  let holder: Holder | null = null;

  function find(request: IncomingMessage): Holder {
    if (holder !== null && latest === request) return holder;
    if (latest === null) process.nextTick(forget);
    latest = request;
    holder = holderOf<Holder>(request);
    return holder;
  }

  function forget(): void {
    latest = null;
    holder = null;
  }

  return {
    of: request => find(request)[GATE],
    before(response) {
      const gate = holder?.[GATE];
      if (gate?.response === response) return gate;
      // A response that HTTP/2 pushes has no request.
      const request: IncomingMessage | undefined = response.req;
      return request && find(request)[GATE];
    },
    put(request, gate) {
      find(request)[GATE] = gate;
    },
  };
}
