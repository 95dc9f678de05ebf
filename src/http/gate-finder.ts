/** Finds the gate before a response, by the response or by its request. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { holderOf } from './request-holder.ts';

export interface GateFinder<Gate> {
  of(request: IncomingMessage): Gate | undefined;
  before(response: ServerResponse): Gate | undefined;
  put(request: IncomingMessage, gate: Gate): void;
}

const GATE: unique symbol = Symbol('madeleine.gate');

interface Holder<Gate> {
  [GATE]?: Gate;
}

export function createGateFinder<Gate extends { readonly response: ServerResponse }>(): GateFinder<Gate> {
  const byRequest = (request: IncomingMessage): Holder<Gate> => holderOf<Holder<Gate>>(request);
  const byResponse = (response: ServerResponse): Holder<Gate> => {
    // One that HTTP/2 pushes or that a test made by hand has none.
    const request: IncomingMessage | undefined = response.req;
    return request ? byRequest(request) : (response as Holder<Gate>);
  };
  return {
    of: request => byRequest(request)[GATE],
    before: response => byResponse(response)[GATE],
    put(request, gate) {
      byRequest(request)[GATE] = gate;
      if (!gate.response.req) byResponse(gate.response)[GATE] = gate;
    },
  };
}
