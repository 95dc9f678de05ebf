/** Asks a guard about a Fetch request. */
import type { Visitor } from '../session/state.ts';
import { type FetchExchange, fetchExchangesOf } from './fetch-exchange.ts';
import type { Asked, Guard } from './guard.ts';

/**
 * What the request is to be answered with; `null` lets it pass.
 *
 * @param carrier what the sessions of the request are kept on
 * @param holder what the framework's handlers hold, for the guard's predicate
 */
export async function askFetchGuard<Holder>(
  guard: Guard<Holder>,
  carrier: object,
  request: Request,
  holder: Holder,
  place: string | null,
  missing: (place: string | null) => Error,
): Promise<Response | null> {
  const refusal = await guard(new FetchAsked(carrier, request, place, missing), holder);
  if (refusal === null) return null;
  const { body, status, headers, vary } = refusal;
  return new Response(body, { status, headers: { ...headers, Vary: vary.join(', ') } });
}

class FetchAsked implements Asked {
  readonly #carrier: object;
  readonly #request: Request;
  readonly #place: string | null;
  readonly #missing: (place: string | null) => Error;

  constructor(carrier: object, request: Request, place: string | null, missing: (place: string | null) => Error) {
    this.#carrier = carrier;
    this.#request = request;
    this.#place = place;
    this.#missing = missing;
  }

  get method(): string {
    return this.#request.method;
  }
  get url(): string {
    const { pathname, search } = new URL(this.#request.url);
    return pathname + search;
  }
  get accept(): string | undefined {
    return this.#field('accept');
  }
  get site(): string | undefined {
    return this.#field('sec-fetch-site');
  }
  get origin(): string | undefined {
    return this.#field('origin');
  }
  /** A request that came over no network has no such field. */
  get host(): string {
    return this.#field('host') ?? new URL(this.#request.url).host;
  }
  get upgrade(): string | undefined {
    return this.#field('upgrade');
  }

  visitor(): Visitor | null {
    return this.#exchange().visitor();
  }
  session(): object {
    return this.#exchange().session;
  }

  #exchange(): FetchExchange {
    const exchange = fetchExchangesOf(this.#carrier).at(-1);
    if (!exchange) throw this.#missing(this.#place);
    return exchange;
  }

  #field(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }
}
