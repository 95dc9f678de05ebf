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
  return {
    of: request => byRequest(request)[GATE],
    before(response) {
      const request: IncomingMessage | undefined = response.req;
      return (request && byRequest(request)[GATE]) ?? (response as Holder<Gate>)[GATE];
    },
    put(request, gate) {
      byRequest(request)[GATE] = gate;
      // One that a test made by hand has no request, one of serverless-http has something else in its place.
      const { response }: { response: Holder<Gate> & { readonly req?: IncomingMessage } } = gate;
      if (response.req !== request) response[GATE] = gate;
    },
  };
}
