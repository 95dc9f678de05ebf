/** Asks a guard about a Fetch request. */
import type { FetchExchange } from './fetch-exchange.ts';
import type { Guard } from './guard.ts';

/**
 * What the request is to be answered with; `null` lets it pass.
 *
 * @param holder what the framework's handlers hold, for the guard's predicate
 */
export async function askFetchGuard<Holder>(
  guard: Guard<Holder>,
  exchange: FetchExchange,
  request: Request,
  holder: Holder,
): Promise<Response | null> {
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
