/** Asks a guard about a request of a Node server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type MaybePromise, whenReady } from '../maybe-promise.ts';
import type { Visitor } from '../session/state.ts';
import { addVary, type Exchange, exchangesOf } from './exchange.ts';
import type { Asked, Guard, Refusal } from './guard.ts';
import { sessionMissing } from './missing.ts';

/** Express, connect and middie keep the target as it was sent, and take the path under which they mount something off `url`. */
type NodeRequest = IncomingMessage & { originalUrl?: string };

/**
 * What the request is to be answered with; `null` lets it pass.
 *
 * @param holder what the framework's handlers hold, for the guard's predicate
 * @param place the line where the guard was made, for the error
 * @param url the target as it was sent, where the framework keeps it elsewhere than on the request
 * @throws MadeleineError `ERR_SESSION_MISSING`
 */
export function askGuard<Holder>(
  guard: Guard<Holder>,
  request: NodeRequest,
  response: ServerResponse,
  holder: Holder,
  place: string | null,
  url?: string,
): MaybePromise<Refusal | null> {
  return whenReady(guard(new NodeAsked(request, place, url), holder), refusal => {
    if (refusal) for (const field of refusal.vary) addVary(response, field);
    return refusal;
  });
}

class NodeAsked implements Asked {
  readonly #request: NodeRequest;
  readonly #place: string | null;
  readonly #url: string | undefined;

  constructor(request: NodeRequest, place: string | null, url: string | undefined) {
    this.#request = request;
    this.#place = place;
    this.#url = url;
  }

  get method(): string | undefined {
    return this.#request.method;
  }
  get url(): string | undefined {
    return this.#request.originalUrl ?? this.#url ?? this.#request.url;
  }
  get accept(): string | undefined {
    return this.#request.headers.accept;
  }
  get site(): string | undefined {
    return this.#request.headers['sec-fetch-site'] as string | undefined;
  }
  get origin(): string | undefined {
    return this.#request.headers.origin;
  }
  get host(): string | undefined {
    const { headers } = this.#request;
    // HTTP/2 may carry both: then Host says nothing of where the request goes (RFC 9113 section 8.3.1).
    return (headers[':authority'] as string | undefined) ?? headers.host;
  }
  get upgrade(): string | undefined {
    return this.#request.headers.upgrade;
  }

  visitor(): Visitor | null {
    return this.#exchange().visitor();
  }
  session(): object {
    return this.#exchange().session;
  }

  #exchange(): Exchange {
    const exchange = exchangesOf(this.#request).at(-1);
    if (!exchange) throw sessionMissing(this.#place);
    return exchange;
  }
}
