import type { IncomingMessage } from 'node:http';

/**
 * Where a request keeps what is ours: on its list of header fields, an array of its own. On the request itself it would cost 3 µs in
 * Express, which has given the request another prototype, and in a WeakMap 6 µs of collecting garbage. A request that was made
 * by hand may have no such list, or another one each time (node-mock-http, in Nuxt).
 */
export function holderOf<Kept extends object>(request: IncomingMessage): Kept {
  const list: unknown = request.rawHeaders;
  return (list !== undefined && list === request.rawHeaders ? list : request) as Kept;
}
