/** madeleine for WebSocket handshakes: `ws`, socket.io, and whatever else listens to a server's `upgrade` event. */
import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Duration, toTimer } from '../duration.ts';
import { MadeleineError } from '../errors.ts';
import { statusOf } from '../http/bare-error.ts';
import { checkTrustProxy, ProxiedFacts } from '../http/facts.ts';
import { bearErrors } from '../http/hang-up.ts';
import { sessionNotWrapped } from '../http/missing.ts';
import { createOriginCheck } from '../http/origin.ts';
import { checkOptions, invalidOption } from '../options.ts';
import type { Session } from '../session/bag.ts';
import type { OpenSession } from '../session/opened.ts';
import type { SessionData } from '../session/session-data.ts';
import type { Sessions } from '../session/sessions.ts';

export interface UpgradeOptions {
  /** Origins whose pages may connect beside this host's own: `['https://app.example']`. Default none. */
  trustedOrigins?: readonly string[] | undefined;
  /** How many proxies of yours stand before this server: their X-Forwarded-Proto is believed. Default 0. */
  trustProxy?: number | undefined;
}

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface Upgrades<Data extends object = SessionData> {
  /**
   * A listener for `server.on('upgrade')`: calls yours once the session is open. A page of a foreign origin gets 403, and where the
   * session cannot be read, the client gets 503 and `sessions.on('failed')` hears of it.
   */
  withSession(listener: UpgradeListener): UpgradeListener;
  /** The same for socket.io: `io.engine.use(middleware)`. */
  middleware(request: IncomingMessage, response: unknown, next: (error?: Error) => void): void;
  /**
   * The session of a handshake, as it was then; `reload()` looks again. What you change is saved by `save()` or `update()`, and
   * by nothing else. @throws MadeleineError `ERR_SESSION_MISSING`
   */
  of(request: IncomingMessage): Session<Data>;
  /** Asks the store whether the session of this handshake still counts. `false` for a visitor who had none. */
  stillLive(request: IncomingMessage): Promise<boolean>;
  /**
   * Calls `listener` once the session has ended or expired, whichever process ended it: the store is asked every so often (default
   * `'30s'`), so it is known that much later. A store that fails ends nothing. For a visitor without a session nothing is watched.
   *
   * @returns a function that ends the watch; to be called when the connection closes
   */
  onEnd(request: IncomingMessage, listener: () => void, every?: Duration): () => void;
}

/**
 * Sessions for WebSocket handshakes.
 *
 * @param sessions what the application's own `session()` has as `sessions`
 * @throws MadeleineError for wrong options, and for what has no sessions
 */
export function upgrades<Data extends object>(sessions: Sessions<Data>, options: UpgradeOptions = {}): Upgrades<Data> {
  const { trustedOrigins = [], trustProxy = 0 } = checkOptions(options, ['trustedOrigins', 'trustProxy'], 'upgrade');
  const hops = checkTrustProxy(trustProxy);
  // Found out by the first handshake only, it would end the process.
  if (typeof sessions?.open !== 'function') throw noSessions();
  const mayConnect = createOriginCheck(trustedOrigins);
  const opened = new WeakMap<IncomingMessage, OpenSession<Data>>();

  /** Opens the session; answers with the status of a refusal, or `null`. */
  async function enter(request: IncomingMessage): Promise<number | null> {
    if (!mayConnect(request.headers)) return 403;
    try {
      const open = await sessions.open(request.headers.cookie, new HandshakeFacts(request, hops));
      // No response follows: the turn is over, and no cookie can be set.
      open.endTurn?.();
      open.closeHead();
      opened.set(request, open);
      return null;
    } catch (error) {
      sessions.reportFailure(error);
      return statusOf(error);
    }
  }

  function openOf(request: IncomingMessage): OpenSession<Data> {
    const open = opened.get(request);
    if (!open) throw sessionNotWrapped();
    return open;
  }

  return {
    of: request => openOf(request).session,
    stillLive: async request => openOf(request).stillLive(),
    withSession(listener) {
      checkListener(listener);
      return async (request, socket, head) => {
        // Node has let go of this socket: until somebody else listens, an error of it would end the process.
        const ignore = () => {};
        socket.on('error', ignore);
        const refused = await enter(request);
        socket.off('error', ignore);
        if (socket.destroyed) return;
        if (refused === null) listener(request, socket, head);
        else refuse(socket, refused);
      };
    },
    middleware(request, response, next) {
      bearErrors(request);
      void enter(request).then(refused => {
        if (refused === null) return next();
        // For a WebSocket socket.io gives only a stand-in for a response, which cannot answer.
        if (response instanceof ServerResponse) response.writeHead(refused).end();
        else refuse(request.socket, refused);
      });
    },
    onEnd(request, listener, every = '30s') {
      const open = openOf(request);
      checkListener(listener);
      const period = toTimer(every, 'every');
      let timer: NodeJS.Timeout | undefined;
      let watching = !open.unstored && !open.unavailable;
      const wait = () => {
        if (watching) timer = setTimeout(look, period).unref();
      };
      const look = async () => {
        let live = true;
        try {
          live = await open.stillLive();
        } catch (error) {
          sessions.reportFailure(error);
        }
        if (live) return wait();
        if (watching) listener();
      };
      wait();
      return () => {
        watching = false;
        clearTimeout(timer);
      };
    },
  };
}

/** @throws MadeleineError `ERR_OPTION_INVALID` when it is not a function: to find that out by calling it would end the process */
function checkListener(listener: unknown): void {
  if (typeof listener !== 'function') throw invalidOption('listener', 'is not a function', 'Give one.');
}

function noSessions(): MadeleineError {
  return new MadeleineError(
    'ERR_OPTION_INVALID',
    'upgrades() was given something that is no sessions.',
    'Call upgrades(sessionMiddleware.sessions) with what session() returned; in Fastify upgrades(app.sessions), once session is registered.',
  );
}

class HandshakeFacts extends ProxiedFacts {
  readonly unanswered = true;
}

function refuse(socket: Duplex, status: number): void {
  socket.on('error', () => {});
  // Node has let go of this socket: where the client keeps its side open, nobody else would close it.
  const answer = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
  socket.end(answer, () => socket.destroy());
}
