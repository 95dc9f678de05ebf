/** Asks a guard about a Fetch request. */
import type { FetchExchange } from './fetch-exchange.ts';
import type { Guard } from './guard.ts';

/**
 * What the request is to be answered with; `null` lets it pass.
 *
 * @param holder what the framework's handlers hold, for the guard's predicate
 * @param missing what to say where there is no session
 * @throws MadeleineError `ERR_SESSION_MISSING`
 */
export async function askFetchGuard<Holder>(
  guard: Guard<Holder>,
  exchanges: readonly FetchExchange[],
  request: Request,
  holder: Holder,
  missing: () => Error,
): Promise<Response | null> {
  const exchange = exchanges.at(-1);
  if (!exchange) throw missing();
  const { pathname, search } = new URL(request.url);
  const asked = {
    method: request.method,
    url: pathname + search,
    accept: request.headers.get('accept') ?? undefined,
  };
  const refusal = await guard(exchange.visitor(), holder, asked);
  if (refusal === null) return null;
  return new Response(refusal.body, { status: refusal.status, headers: { ...refusal.headers, Vary: 'Accept' } });
}
