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

const LONGEST_USER_AGENT = 256;

/** What every kind of request says in its fields. */
abstract class Facts implements RequestFacts {
  abstract get secure(): boolean;
  protected abstract get address(): string | undefined;
  protected abstract field(name: string): string | string[] | null | undefined;

  /** By the word of the proxy nearest to the client, the first in the list. */
  get forwardedHttps(): boolean {
    return /^https\b/i.test(String(this.field('x-forwarded-proto')));
  }

  /** A page that is opened, or sent a form from another site, keeps every cookie; so only a script's request counts. */
  get scriptOfOtherSite(): boolean {
    return this.field('sec-fetch-site') === 'cross-site' && this.field('sec-fetch-mode') === 'cors';
  }

  device(): Device {
    const { address } = this;
    const userAgent = this.field('user-agent');
    const device: Device = {};
    if (userAgent) device.userAgent = userAgent.slice(0, LONGEST_USER_AGENT) as string;
    if (address) device.address = address;
    return device;
  }
}

/** Asks the framework, and only when it has to: the answer costs Express 1 µs. */
export class FrameworkFacts<Asked extends FrameworkRequest = FrameworkRequest> extends Facts {
  protected readonly request: Asked;
  readonly #prototype: object | null;

  constructor(request: Asked) {
    super();
    this.request = request;
    this.#prototype = Object.getPrototypeOf(request);
  }

  /** A request that the framework never saw (of socket.io, of connect) has no such property: then its connection is asked. */
  get secure(): boolean {
    return this.#ask('secure') ?? isEncrypted(this.request.socket);
  }

  protected get address(): string | undefined {
    return this.#ask('ip');
  }

  protected field(name: string): string | string[] | undefined {
    return this.request.headers[name];
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
 * A request behind `hops` proxies that are to be trusted. What a client can write itself is never believed: of a forwarded list only
 * the entries count that the trusted proxies added, from the right.
 */
abstract class FactsBehindProxies extends Facts {
  readonly #hops: number;

  constructor(hops: number) {
    super();
    this.#hops = hops;
  }

  /** Of the last connection, which comes from the nearest proxy, or from the client itself. */
  protected abstract get encrypted(): boolean;
  protected abstract get remoteAddress(): string | undefined;

  get secure(): boolean {
    const protocol = this.#forwarded('x-forwarded-proto');
    return protocol === undefined ? this.encrypted : protocol.toLowerCase() === 'https';
  }

  protected get address(): string | undefined {
    return this.#forwarded('x-forwarded-for') ?? this.remoteAddress;
  }

  /** The entry that the outermost trusted proxy wrote; the first, where a proxy has shortened the list. */
  #forwarded(name: string): string | undefined {
    const list = this.#hops > 0 ? this.field(name) : null;
    if (!list) return undefined;
    const entries = String(list).split(',');
    return entries[Math.max(0, entries.length - this.#hops)]?.trim();
  }
}

/** A request of plain Node. */
export class ProxiedFacts extends FactsBehindProxies {
  readonly #request: IncomingMessage;

  constructor(request: IncomingMessage, hops: number) {
    super(hops);
    this.#request = request;
  }

  protected get encrypted(): boolean {
    return isEncrypted(this.#request.socket);
  }

  protected get remoteAddress(): string | undefined {
    return this.#request.socket.remoteAddress;
  }

  protected field(name: string): string | string[] | undefined {
    return this.#request.headers[name];
  }
}

/** A Fetch request, which says in its URL what its server knows; the client's address only its server can tell. */
export class FetchFacts extends FactsBehindProxies {
  readonly #request: Request;
  protected readonly remoteAddress: string | undefined;

  constructor(request: Request, hops: number, address?: string) {
    super(hops);
    this.#request = request;
    this.remoteAddress = address;
  }

  protected get encrypted(): boolean {
    return this.#request.url.startsWith('https:');
  }

  protected field(name: string): string | null {
    return this.#request.headers.get(name);
  }
}

function isEncrypted(socket: object | undefined): boolean {
  return (socket as { encrypted?: boolean } | undefined)?.encrypted === true;
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
