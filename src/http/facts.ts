/** What a session wants to know of its request: whether it came over https, and from where. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { invalidOption } from '../options.ts';
import type { Device } from '../session/record.ts';
import type { RequestFacts } from '../session/state.ts';

/** A request of a framework that has a proxy setting of its own, as Express and Koa have. */
export interface FrameworkRequest {
  readonly headers: IncomingHttpHeaders;
  readonly socket?: object;
  /** https, as the framework's proxy setting tells. */
  readonly secure?: boolean;
  /** The client's address, as the framework's proxy setting tells. */
  readonly ip?: string;
}

/** Asks the framework, and only when it has to: the answer costs Express 1 µs. */
export class FrameworkFacts<Asked extends FrameworkRequest = FrameworkRequest> implements RequestFacts {
  protected readonly request: Asked;
  readonly #prototype: object | null;

  constructor(request: Asked) {
    this.request = request;
    this.#prototype = Object.getPrototypeOf(request);
  }

  /** A request that the framework never saw (of socket.io, of connect) has no such property: then its connection is asked. */
  get secure(): boolean {
    return this.#ask('secure') ?? isEncrypted(this.request.socket);
  }

  get forwardedHttps(): boolean {
    return saysHttps(this.request.headers['x-forwarded-proto']);
  }

  get scriptOfOtherSite(): boolean {
    return isScriptOfOtherSite(this.request.headers['sec-fetch-site'], this.request.headers['sec-fetch-mode']);
  }

  device(): Device {
    return deviceOf(this.request.headers['user-agent'], this.#ask('ip'));
  }

  /**
   * The answer of the application where session() stands. By the time the response leaves, another application of Express may have
   * taken the request over (under vhost, say), which trusts other proxies: it would give the cookie another name than the one that is read.
   */
  #ask<Name extends 'secure' | 'ip'>(name: Name): Asked[Name] {
    const { request } = this;
    const present = Object.getPrototypeOf(request);
    if (present === this.#prototype) return request[name];
    Object.setPrototypeOf(request, this.#prototype);
    try {
      return request[name];
    } finally {
      Object.setPrototypeOf(request, present);
    }
  }
}

/**
 * A request of plain Node behind `hops` proxies that are to be trusted. What a client can write itself is never believed:
 * of a forwarded list only the entries count that the trusted proxies added, from the right.
 */
export class ProxiedFacts implements RequestFacts {
  readonly #request: IncomingMessage;
  readonly #hops: number;

  constructor(request: IncomingMessage, hops: number) {
    this.#request = request;
    this.#hops = hops;
  }

  get secure(): boolean {
    const protocol = this.#forwarded('x-forwarded-proto');
    if (protocol !== undefined) return protocol.toLowerCase() === 'https';
    return isEncrypted(this.#request.socket);
  }

  get forwardedHttps(): boolean {
    return saysHttps(this.#request.headers['x-forwarded-proto']);
  }

  get scriptOfOtherSite(): boolean {
    const { headers } = this.#request;
    return isScriptOfOtherSite(headers['sec-fetch-site'], headers['sec-fetch-mode']);
  }

  device(): Device {
    const address = this.#forwarded('x-forwarded-for') ?? this.#request.socket.remoteAddress;
    return deviceOf(this.#request.headers['user-agent'], address);
  }

  #forwarded(field: string): string | undefined {
    return this.#hops > 0 ? forwardedEntry(this.#request.headers[field], this.#hops) : undefined;
  }
}

/** A Fetch request, which says in its URL what its server knows; the client's address only its server can tell. */
export class FetchFacts implements RequestFacts {
  readonly #request: Request;
  readonly #hops: number;
  readonly #address: string | undefined;

  constructor(request: Request, hops: number, address?: string) {
    this.#request = request;
    this.#hops = hops;
    this.#address = address;
  }

  get secure(): boolean {
    const protocol = this.#forwarded('x-forwarded-proto');
    if (protocol !== undefined) return protocol.toLowerCase() === 'https';
    return this.#request.url.startsWith('https:');
  }

  get forwardedHttps(): boolean {
    return saysHttps(this.#request.headers.get('x-forwarded-proto'));
  }

  get scriptOfOtherSite(): boolean {
    const { headers } = this.#request;
    return isScriptOfOtherSite(headers.get('sec-fetch-site'), headers.get('sec-fetch-mode'));
  }

  device(): Device {
    const address = this.#forwarded('x-forwarded-for') ?? this.#address;
    return deviceOf(this.#request.headers.get('user-agent'), address);
  }

  #forwarded(field: string): string | undefined {
    return this.#hops > 0 ? forwardedEntry(this.#request.headers.get(field), this.#hops) : undefined;
  }
}

function isEncrypted(socket: object | undefined): boolean {
  return (socket as { encrypted?: boolean } | undefined)?.encrypted === true;
}

/** Whether the proxy nearest to the client, the first in the list, says https. */
function saysHttps(list: string | string[] | null | undefined): boolean {
  return /^https\b/i.test(String(list));
}

/** A page that is opened, or sent a form from another site, keeps every cookie; so only a script's request counts. */
function isScriptOfOtherSite(site: string | string[] | null | undefined, mode: typeof site): boolean {
  return site === 'cross-site' && mode === 'cors';
}

/** The entry that the outermost trusted proxy wrote; the first, where a proxy has shortened the list. */
function forwardedEntry(list: string | string[] | null | undefined, hops: number): string | undefined {
  if (!list) return undefined;
  const entries = String(list).split(',');
  return entries[Math.max(0, entries.length - hops)]?.trim();
}

/** @throws MadeleineError `ERR_OPTION_INVALID` when it is not a number of proxies */
export function checkTrustProxy(hops: number): number {
  if (Number.isSafeInteger(hops) && hops >= 0) return hops;
  throw invalidOption(
    'trustProxy',
    'is not a number of proxies',
    'Give how many proxies of yours stand before this server: 1 for one. Trusting more would let clients lie.',
  );
}

const LONGEST_USER_AGENT = 256;

function deviceOf(userAgent: string | null | undefined, address: string | undefined): Device {
  const device: Device = {};
  if (userAgent) device.userAgent = userAgent.slice(0, LONGEST_USER_AGENT);
  if (address) device.address = address;
  return device;
}
