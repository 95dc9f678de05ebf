/** Where Node's compatibility API for HTTP/2 is not what it looks like: a response has a stream, many share one socket. */
import type { ServerResponse } from 'node:http';
import type { Http2Stream } from 'node:http2';
import type { Socket } from 'node:net';

/** The stream of a response over HTTP/2; `undefined` over HTTP/1. */
export function streamOf(response: ServerResponse): Http2Stream | undefined {
  return (response as { stream?: Http2Stream }).stream;
}

/** What closes when the client goes away: the stream over HTTP/2, the socket over HTTP/1, which serves one response at a time. */
export function connectionOf(response: ServerResponse): Http2Stream | Socket | null {
  return streamOf(response) ?? response.socket;
}
