/** The ways to answer that Node's own response has. */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { NodeWay } from './adapter-harness.ts';

export const NODE_WAYS: Record<string, NodeWay> = {
  end: (_request, response) => void response.end(),
  'end with a body': (_request, response) => void response.end('body'),
  'writeHead with an object': (_request, response) =>
    void response.writeHead(201, { 'X-Mine': '1', 'Set-Cookie': 'own=1' }).end('x'),
  'writeHead with a list': (_request, response) =>
    void response.writeHead(201, ['X-Mine', '1', 'Set-Cookie', 'own=1']).end('x'),
  write(_request, response) {
    response.write('one');
    response.write('two', () => response.end('three'));
  },
  pipe: (_request, response) => void Readable.from(Array.from({ length: 300 }, () => 'x'.repeat(1000))).pipe(response),
  flushHeaders(_request, response) {
    response.flushHeaders();
    setImmediate(() => response.end('later'));
  },
  'early hints': (_request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
    response.end('hinted');
  },
  trailers(_request, response) {
    response.setHeader('Trailer', 'X-Sum');
    response.write('body');
    response.addTrailers({ 'X-Sum': '4' });
    response.end();
  },
  'no content': (_request, response) => end(response, 204),
  'not modified': (_request, response) => end(response, 304),
};

function end(response: ServerResponse, status: number): void {
  response.statusCode = status;
  response.end();
}
