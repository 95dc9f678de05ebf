/** Whether a handshake comes from a page that may use the session. Browsers let every site open a WebSocket, with our cookies. */
import type { IncomingHttpHeaders } from 'node:http';
import type { MadeleineError } from '../errors.ts';
import { invalidOption } from '../options.ts';

/** A host and perhaps a port, and nothing that could be taken for another host. */
const HOST = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i;

/**
 * Makes the check: the page's origin is this host's own (its host and port are those of the Host field, byte for byte; https ends
 * at proxies, so the scheme is not compared), or one of the trusted ones, or no browser's page at all. What a proxy says of
 * the host in other fields counts for nothing.
 *
 * @throws MadeleineError `ERR_OPTION_INVALID` when a trusted origin is no origin as browsers write it
 */
export function createOriginCheck(trusted: readonly string[]): (headers: IncomingHttpHeaders) => boolean {
  for (const origin of trusted) if (!isOrigin(origin)) throw notAnOrigin();
  return ({ origin, host, 'sec-fetch-site': site }) => {
    // Every browser sends Origin with a WebSocket handshake, and none with a plain GET, which socket.io polls by.
    if (!origin) return site === undefined || site === 'same-origin' || site === 'none';
    if (trusted.includes(origin)) return true;
    return host !== undefined && HOST.test(host) && (origin === `https://${host}` || origin === `http://${host}`);
  };
}

function isOrigin(text: unknown): boolean {
  if (typeof text !== 'string' || !/^https?:\/\//.test(text) || text.includes('*')) return false;
  return URL.canParse(text) && new URL(text).origin === text;
}

function notAnOrigin(): MadeleineError {
  return invalidOption(
    'trustedOrigins',
    'holds something that is no origin as browsers write it',
    "Give scheme and host, and a port where it is not the usual one, without a slash at the end: 'https://app.example'.",
  );
}
