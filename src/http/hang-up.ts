/** Tells who is still at work on a connection that it has closed; and what an error of one must not do. */
import type { ServerResponse } from 'node:http';
import type { Http2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { connectionOf, writableOf } from './http2.ts';

export interface Waiting {
  /** The client has gone before the response ended. */
  hungUp(): void;
}

const WAITING: unique symbol = Symbol('madeleine.waiting');
/** `null`: it has closed. */
type Watched = (Socket | Http2Stream) & { [WAITING]?: Waiting[] | null };

/**
 * One listener for a connection, which serves many requests: one for each response would cost 5 µs a request. An array, because
 * nearly always one waits at a time: a Set, made for many, would cost 2 µs more.
 */
export function watchConnection(socket: Watched, waiting: Waiting): void {
  const present = socket[WAITING];
  if (present) {
    present.push(waiting);
    return;
  }
  // A connection may have closed before the first of its requests watched it: later ones need not ask.
  if (present === null || socket.closed) return waiting.hungUp();
  const all = [waiting];
  socket[WAITING] = all;
  // Not once(), which stand-ins for a socket (serverless-http's) often lack; a socket closes but once.
  socket.on('close', () => {
    socket[WAITING] = null;
    for (const one of all) one.hungUp();
  });
}

/** Ends the watch; to end it twice does no harm. */
export function unwatchConnection(socket: Watched, waiting: Waiting): void {
  const all = socket[WAITING];
  if (!all) return;
  // Nearly always the only one: splice() would make an array of it.
  if (all.at(-1) === waiting) return void all.pop();
  const place = all.indexOf(waiting);
  if (place >= 0) all.splice(place, 1);
}

/** Calls the listener once the response is over, whatever became of it; it may be called twice. */
export function whenOver(response: ServerResponse, listener: () => void): void {
  // A client that went away before: 'close' is over already. What stands for a response in an upgrade listener (ws's guide gives `{}`) has no end.
  if (typeof response.once !== 'function' || writableOf(response).closed) return listener();
  response.once('close', listener);
  const connection = connectionOf(response);
  if (response.socket || connection === null) return;
  // One that waits behind another on its connection (HTTP/1.1 pipelining) is not told when that closes.
  const waiting = { hungUp: listener };
  response.once('close', () => unwatchConnection(connection, waiting));
  watchConnection(connection, waiting);
}

/** A request as it stands at an upgrade. */
export interface Upgraded {
  /** Node's own: set where a listener for upgrades is given the connection. */
  readonly upgrade?: boolean;
  readonly socket: { listeners(event: 'error'): unknown[]; on(event: 'error', listener: () => void): unknown };
}

const ignore = (): void => {};

/**
 * To be called before anything is awaited. At an upgrade Node has let go of the socket: until a server of WebSockets listens, an error
 * of it, as of a client that resets the connection, would end the process.
 */
export function bearErrors({ upgrade, socket }: Upgraded): void {
  if (upgrade === true && !socket.listeners('error').includes(ignore)) socket.on('error', ignore);
}
