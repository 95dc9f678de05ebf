/** Where Node's compatibility API for HTTP/2 is not what it looks like: a response has a stream, many share one socket. */
import { type IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse, Http2Stream, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

/** A request of `node:http`, `node:https` or the compatibility API of `node:http2`. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** The compatibility API is used as if it were HTTP/1; the functions below have the places where it differs. */
export function asHttp1(given: NodeRequest): IncomingMessage;
export function asHttp1(given: NodeResponse): ServerResponse;
export function asHttp1(given: unknown): unknown {
  return given;
}

/** The stream of a response over HTTP/2; `undefined` over HTTP/1. */
export function streamOf(response: ServerResponse): Http2Stream | undefined {
  // Looking up a property that is not there takes 1 µs on Express's responses.
  return response instanceof ServerResponse ? undefined : (response as { stream?: Http2Stream }).stream;
}

/** What a response writes to, which closes and drains: its stream over HTTP/2, over HTTP/1 itself. */
export function writableOf(response: ServerResponse): Http2Stream | ServerResponse {
  return streamOf(response) ?? response;
}

/**
 * What closes when the client goes away: over HTTP/2 the stream, over HTTP/1 the socket. A response over HTTP/1 that waits behind another
 * has no socket yet, but its request has. `null` for a mock that has nothing to listen to.
 */
export function connectionOf(response: ServerResponse): Http2Stream | Socket | null {
  const connection = streamOf(response) ?? response.socket ?? response.req?.socket;
  return typeof connection?.on === 'function' ? connection : null;
}

/**
 * Ends a response that has begun to leave so that the client does not take it for a whole one. Without an error a stream would end as
 * one that is complete; nobody but the client is told of this error.
 */
export function breakOff(response: ServerResponse): void {
  const stream = streamOf(response);
  if (stream) stream.destroy(new Error('The session could not be saved.'));
  else response.destroy();
}

/**
 * Forgets the trailers that were added; others may be added. Over HTTP/2 no method takes one away, so the stream, which asks for them
 * after the body, is given a list of its own. (Bun would refuse to send trailers over HTTP/1 with an error that is not in chunks.)
 */
export function forgetTrailers(response: ServerResponse): void {
  const stream = streamOf(response) as ServerHttp2Stream | undefined;
  // Over HTTP/1 what is added takes the place of what was.
  if (!stream) return response.addTrailers({});
  const trailers: OutgoingHttpHeaders = {};
  stream.removeAllListeners('wantTrailers').once('wantTrailers', () => stream.sendTrailers(trailers));
  // Node's addTrailers goes through this; Node's types do not know it.
  const sets = response as unknown as { setTrailer(name: string, value: string): void };
  const { setTrailer } = sets;
  sets.setTrailer = (name, value) => {
    setTrailer.call(response, name, value);
    // The stream asks a little after the end: a handler whose response this was may still be adding.
    if (!response.writableEnded) trailers[name.trim().toLowerCase()] = value;
  };
}
