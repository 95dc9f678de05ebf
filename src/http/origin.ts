/** Whether a request comes from a page that may use the session. Browsers send our cookies along with what other sites ask for. */
import type { IncomingHttpHeaders } from 'node:http';
import type { MadeleineError } from '../errors.ts';
import { invalidOption } from '../options.ts';

/** What browsers say of where a request comes from, and the host that it is for, as the client names it. */
export interface Provenance {
  readonly method: string | undefined;
  /** Sec-Fetch-Site; browsers send it to https and to localhost. */
  readonly site: string | undefined;
  readonly origin: string | undefined;
  /** Host, or HTTP/2's `:authority`. */
  readonly host: string | undefined;
  readonly upgrade: string | undefined;
}

/** A host and perhaps a port, and nothing that could be taken for another host. */
const HOST = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i;

/** These change nothing (RFC 9110 section 9.2.1), and every link to a site makes them. Any other method may, unknown ones too. */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Makes the check for WebSocket handshakes: the page's origin is this host's own, or one of the trusted ones, or no browser's page
 * at all.
 *
 * @throws MadeleineError `ERR_OPTION_INVALID` when a trusted origin is no origin as browsers write it
 */
export function createOriginCheck(trusted: readonly string[]): (headers: IncomingHttpHeaders) => boolean {
  checkOrigins(trusted);
  return ({ origin, host, 'sec-fetch-site': site }) => {
    // Every browser sends Origin with a WebSocket handshake, and none with a plain GET, which socket.io polls by.
    if (!origin) return site === undefined || isOwnSite(site);
    return trusted.includes(origin) || isOwnOrigin(origin, host);
  };
}

/**
 * Makes the check for requests that may change something. No page of another origin, not even of a neighbour on the same site, may
 * send them; a browser says by Fetch Metadata whose page it is, an older one, or over plain http, by Origin. What has neither
 * is no browser, and is sent no cookies that it does not have. Go's `http.CrossOriginProtection` decides the same, but for WebSockets.
 *
 * @throws MadeleineError `ERR_OPTION_INVALID` when a trusted origin is no origin as browsers write it
 */
export function createForgeryCheck(trusted: readonly string[]): (request: Provenance) => boolean {
  checkOrigins(trusted);
  return ({ method, site, origin, host, upgrade }) => {
    // A WebSocket is opened by a GET, from every page, with the visitor's cookies; and what comes through it may change anything.
    const opensSocket = upgrade !== undefined && /websocket/i.test(upgrade);
    if (SAFE_METHODS.includes(method ?? '') && !opensSocket) return true;
    if (site ? isOwnSite(site) : !origin || isOwnOrigin(origin, host)) return true;
    return origin !== undefined && trusted.includes(origin);
  };
}

/** `none`: the user's own doing, by the address bar or a bookmark. */
function isOwnSite(site: string): boolean {
  return site === 'same-origin' || site === 'none';
}

/**
 * Host and port are those of the request, byte for byte; https ends at proxies, so the scheme is not compared. What a proxy says
 * of the host in other fields counts for nothing.
 */
function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return host !== undefined && HOST.test(host) && (origin === `https://${host}` || origin === `http://${host}`);
}

function checkOrigins(trusted: readonly string[]): void {
  if (!Array.isArray(trusted) || !trusted.every(isOrigin)) throw notAnOrigin();
}

function isOrigin(text: unknown): boolean {
  if (typeof text !== 'string' || !/^https?:\/\//.test(text) || text.includes('*')) return false;
  return URL.canParse(text) && new URL(text).origin === text;
}

function notAnOrigin(): MadeleineError {
  return invalidOption(
    'trustedOrigins',
    'holds something that is no origin as browsers write it',
    "Give a list of scheme and host, and a port where it is not the usual one, without a slash at the end: ['https://app.example'].",
  );
}
