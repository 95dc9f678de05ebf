/** `req.session`, `ctx.session`: the session opened last, on whatever object a framework's handlers hold. */
import type { IncomingMessage } from 'node:http';
import type { Session } from '../session/bag.ts';
import { defineOwn } from '../session/data.ts';
import { type Exchange, exchangesOf } from './exchange.ts';
import { flash } from './flash.ts';
import { sessionAssigned, warnOfMissingSession } from './missing.ts';

/**
 * `session` and `flash`, to be put on a prototype of what handlers hold. `session` is an accessor, because looking at it is what makes
 * the response vary by cookie. Where a request has none of ours, another session library may assign its own.
 *
 * @param requestOf Node's request of the object that carries them
 */
export function sessionProperties<Holder extends object>(
  requestOf: (holder: Holder) => IncomingMessage,
): PropertyDescriptorMap & ThisType<Holder> {
  return {
    session: {
      configurable: true,
      get(this: Holder): Session<object> | undefined {
        return latestExchange(requestOf(this))?.session;
      },
      set(this: Holder, value: unknown): void {
        if (exchangesOf(requestOf(this)).length > 0) throw sessionAssigned();
        defineOwn(this, 'session', value);
      },
    },
    flash: { value: flash, configurable: true, writable: true },
  };
}

/** `req.sessionID`, as express-session's users read it. */
export const sessionId: PropertyDescriptor & ThisType<IncomingMessage> = {
  configurable: true,
  get(): string | undefined {
    return latestExchange(this)?.identify();
  },
  set(value: unknown): void {
    defineOwn(this, 'sessionID', value);
  },
};

function latestExchange(request: IncomingMessage): Exchange | undefined {
  const exchange = exchangesOf(request).at(-1);
  if (!exchange) warnOfMissingSession();
  return exchange;
}
