/** What a session wants to know of its request: whether it came over https, and from where. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { MadeleineError } from '../errors.ts';
import type { Device } from '../session/record.ts';
import type { RequestFacts } from '../session/state.ts';

/** A request of a framework that has a proxy setting of its own, as Express and Koa have. */
export interface FrameworkRequest {
  readonly headers: IncomingHttpHeaders;
  /** https, as the framework's proxy setting tells. */
  readonly secure?: boolean;
  /** The client's address, as the framework's proxy setting tells. */
  readonly ip?: string;
}

/** Asks the framework, and only when it has to: the answer costs Express 1 µs. */
export class FrameworkFacts implements RequestFacts {
  readonly #request: FrameworkRequest;

  constructor(request: FrameworkRequest) {
    this.#request = request;
  }

  get secure(): boolean {
    return this.#request.secure === true;
  }

  device(): Device {
    return deviceOf(this.#request.headers, this.#request.ip);
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
    return (this.#request.socket as { encrypted?: boolean }).encrypted === true;
  }

  device(): Device {
    const address = this.#forwarded('x-forwarded-for') ?? this.#request.socket.remoteAddress;
    return deviceOf(this.#request.headers, address);
  }

  /** What the outermost trusted proxy wrote; where a proxy replaced the list, what is left of it. */
  #forwarded(field: string): string | undefined {
    const list = this.#hops > 0 ? this.#request.headers[field] : undefined;
    if (!list) return undefined;
    const entries = String(list).split(',');
    return entries[Math.max(0, entries.length - this.#hops)]?.trim();
  }
}

/** @throws MadeleineError `ERR_OPTION_INVALID` when it is not a number of proxies */
export function checkTrustProxy(hops: number): number {
  if (Number.isSafeInteger(hops) && hops >= 0) return hops;
  throw new MadeleineError(
    'ERR_OPTION_INVALID',
    'Option "trustProxy" is not a number of proxies.',
    'Give how many proxies of yours stand before this server: 1 for one. Trusting more would let clients lie.',
  );
}

const LONGEST_USER_AGENT = 256;

function deviceOf(headers: IncomingHttpHeaders, address: string | undefined): Device {
  const device: Device = {};
  const userAgent = headers['user-agent'];
  if (userAgent) device.userAgent = userAgent.slice(0, LONGEST_USER_AGENT);
  if (address) device.address = address;
  return device;
}
