/** polka 0.5 has no types: what the tests use of it. */
declare module 'polka' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  type Next = (error?: unknown) => void;
  type Handler = (request: IncomingMessage & { originalUrl: string }, response: ServerResponse, next: Next) => unknown;
  export interface Polka {
    handler: (request: IncomingMessage, response: ServerResponse) => void;
    use(handler: Handler): Polka;
    use(path: string, handler: Handler): Polka;
    all(path: string, handler: Handler): Polka;
  }
  export default function polka(options?: {
    onError?: (error: Error & { status?: number }, request: IncomingMessage, response: ServerResponse) => void;
  }): Polka;
}
