/**
 * madeleine for Express 4 and 5: `session()` gives `req.session` and `req.flash`, `cookies()` gives `req.cookies` and
 * `req.signedCookies`.
 */
import { IncomingMessage, type ServerResponse } from 'node:http';
import { MadeleineError } from '../errors.ts';
import { Exchange, exchangesOf, sessionMissing } from '../http/exchange.ts';
import { type Flash, flash } from '../http/flash.ts';
import { frameworkPrototype } from '../http/framework-prototype.ts';
import { ownOptions } from '../options.ts';
import type { Session } from '../session/bag.ts';
import type { OpenSession } from '../session/opened.ts';
import type { SessionsOptions } from '../session/options.ts';
import type { Device } from '../session/record.ts';
import type { SessionData } from '../session/session-data.ts';
import { createSessions, type Sessions } from '../session/sessions.ts';
import type { RequestFacts } from '../session/state.ts';
import { memoryStore } from '../stores/memory.ts';

export type { CookieMap } from './express-cookies.ts';
export { cookies, cookies as cookieParser } from './express-cookies.ts';

declare global {
  namespace Express {
    interface Request {
      /** The session of this request. Put something in, and it is there at the next one. */
      session: Session;
      /** Messages for the next page: `req.flash('info', 'Saved.')` keeps one, `req.flash('info')` takes them all. */
      flash: Flash;
    }
  }
}

/** Everything is optional but `secret`; without a store, sessions are kept in memory, bounded, until the process ends. */
export interface ExpressSessionOptions<Data extends object = SessionData> extends Omit<SessionsOptions<Data>, 'store'> {
  store?: SessionsOptions['store'];
}

type Next = (error?: unknown) => void;

export interface SessionMiddleware<Data extends object = SessionData> {
  (request: IncomingMessage, response: ServerResponse, next: Next): void;
  /** Lists, revokes and prunes sessions, outside a request as well. */
  readonly sessions: Sessions<Data>;
  /** The session that this middleware opened for the request, typed. @throws MadeleineError `ERR_SESSION_MISSING` */
  of(request: IncomingMessage): Session<Data>;
}

/** What Express adds to Node's request, as far as it matters here. */
interface ExpressRequest extends IncomingMessage {
  /** https as the "trust proxy" setting tells. */
  secure?: boolean;
  /** The client's address as the "trust proxy" setting tells. */
  ip?: string;
}

/**
 * Sessions for Express.
 *
 * ```js
 * app.use(session({ secret: process.env.SESSION_SECRET }));
 * app.get('/', (req, res) => { req.session.visits = (req.session.visits ?? 0) + 1; res.send(`Visit ${req.session.visits}`); });
 * ```
 *
 * @throws MadeleineError for wrong options
 */
export function session<Data extends object = SessionData>(
  options: ExpressSessionOptions<Data>,
): SessionMiddleware<Data> {
  const given = ownOptions(options ?? {});
  const store = given.store ?? memoryStore(given.clock ? { clock: given.clock } : {});
  const sessions = createSessions<Data>({ ...given, store });

  function middleware(request: IncomingMessage, response: ServerResponse, next: Next): void {
    const mounted = exchangesOf(request);
    const facts = new ExpressFacts(request);
    if (mounted.length > 0) {
      // Mounted twice, or on a path below itself: the session is open already.
      if (mounted.some(exchange => exchange.sessions === sessions)) return next();
      const name = sessions.cookieName(facts.secure);
      if (mounted.some(exchange => exchange.sessions.cookieName(facts.secure) === name)) return next(nameTwice());
    }

    const enter = (open: OpenSession<Data>) => {
      new Exchange(sessions, open, response, next);
      equip(request);
    };
    try {
      const open = sessions.open(request.headers.cookie, facts);
      if (open instanceof Promise) {
        open.then(enter).then(() => next(), next);
        return;
      }
      enter(open);
    } catch (error) {
      return next(error);
    }
    next();
  }

  return Object.assign(middleware, {
    sessions,
    of(request: IncomingMessage): Session<Data> {
      const exchange = exchangesOf(request).find(one => one.sessions === sessions);
      if (!exchange) throw sessionMissing();
      return exchange.session as Session<Data>;
    },
  });
}

/** Gives Express's requests `session` and `flash`: once, on their prototype, for the reason that the gate gives. */
function equip(request: IncomingMessage): void {
  if ('session' in request) return;
  Object.defineProperties(frameworkPrototype(request, IncomingMessage.prototype), {
    session: SESSION,
    flash: { value: flash, configurable: true, writable: true },
  });
}

/** `req.session`: the session opened last. Looking at it is what makes the response vary by cookie. */
const SESSION: PropertyDescriptor = {
  configurable: true,
  get(this: IncomingMessage) {
    return exchangesOf(this).at(-1)?.session;
  },
  set(this: IncomingMessage, value: unknown) {
    if (exchangesOf(this).length > 0) throw sessionAssigned();
    // Another app in this process, with another session library.
    Object.defineProperty(this, 'session', { value, writable: true, enumerable: true, configurable: true });
  },
};

const LONGEST_USER_AGENT = 256;

class ExpressFacts implements RequestFacts {
  readonly #request: ExpressRequest;

  constructor(request: ExpressRequest) {
    this.#request = request;
  }

  get secure(): boolean {
    return this.#request.secure === true;
  }

  device(): Device {
    const device: Device = {};
    const userAgent = this.#request.headers['user-agent'];
    if (userAgent) device.userAgent = userAgent.slice(0, LONGEST_USER_AGENT);
    if (this.#request.ip) device.address = this.#request.ip;
    return device;
  }
}

function sessionAssigned(): MadeleineError {
  return new MadeleineError(
    'ERR_DATA_KEY',
    'req.session was assigned to.',
    'Put data into it; end it with req.session.logout(), empty it with req.session.regenerate().',
  );
}

function nameTwice(): MadeleineError {
  return new MadeleineError(
    'ERR_SESSION_NAME_TWICE',
    'Two different session() share one cookie name on this request.',
    'Give one of them another "name".',
  );
}
