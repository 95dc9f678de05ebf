/** Asks a guard about a request of a Node server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type MaybePromise, whenReady } from '../maybe-promise.ts';
import { addVary, exchangesOf } from './exchange.ts';
import type { Guard, Refusal } from './guard.ts';
import { sessionMissing } from './missing.ts';

/**
 * What the request is to be answered with; `null` lets it pass.
 *
 * @param holder what the framework's handlers hold, for the guard's predicate
 * @param place the line where the guard was made, for the error
 * @throws MadeleineError `ERR_SESSION_MISSING`
 */
export function askGuard<Holder>(
  guard: Guard<Holder>,
  request: IncomingMessage & { originalUrl?: string },
  response: ServerResponse,
  holder: Holder,
  place: string | null,
): MaybePromise<Refusal | null> {
  const exchange = exchangesOf(request).at(-1);
  if (!exchange) throw sessionMissing(place);
  const { method, originalUrl, url, headers } = request;
  const asked = { method, url: originalUrl ?? url, accept: headers.accept };
  return whenReady(guard(exchange.visitor(), holder, asked), refusal => {
    if (refusal) addVary(response, 'Accept');
    return refusal;
  });
}
