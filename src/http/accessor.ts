/** `req.session`, `ctx.session`: the session opened last, on whatever object a framework's handlers hold. */
import type { IncomingMessage } from 'node:http';
import { MadeleineError } from '../errors.ts';
import type { Session } from '../session/bag.ts';
import { exchangesOf } from './exchange.ts';
import { flash } from './flash.ts';
import { warnOfMissingSession } from './missing.ts';

/**
 * `session` and `flash`, to be put on a prototype of what handlers hold. Looking at the session is what makes the response
 * vary by cookie, so it is an accessor.
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
        const exchange = exchangesOf(requestOf(this)).at(-1);
        if (!exchange) warnOfMissingSession();
        return exchange?.session;
      },
      set(this: Holder, value: unknown): void {
        if (exchangesOf(requestOf(this)).length > 0) throw sessionAssigned();
        // Another app in this process, with another session library.
        Object.defineProperty(this, 'session', { value, writable: true, enumerable: true, configurable: true });
      },
    },
    flash: { value: flash, configurable: true, writable: true },
  };
}

/** `req.sessionID`, as express-session's users read it. */
export const sessionId: PropertyDescriptor & ThisType<IncomingMessage> = {
  configurable: true,
  get(): string | undefined {
    const exchange = exchangesOf(this).at(-1);
    if (!exchange) warnOfMissingSession();
    return exchange?.identify();
  },
  set(value: unknown): void {
    // Another session library in this process, on an app or a path of its own.
    Object.defineProperty(this, 'sessionID', { value, writable: true, enumerable: true, configurable: true });
  },
};

export function sessionAssigned(): MadeleineError {
  return new MadeleineError(
    'ERR_DATA_KEY',
    'The session was assigned to.',
    'Put data into it; end it with session.logout(), empty it with session.regenerate().',
  );
}
