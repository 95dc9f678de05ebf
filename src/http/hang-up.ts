/** Tells who is still at work on a connection that it has closed. */
import type { Socket } from 'node:net';

export interface Waiting {
  /** The client has gone before the response ended. */
  hungUp(): void;
}

const WAITING: unique symbol = Symbol('madeleine.waiting');
type Watched = Socket & { [WAITING]?: Set<Waiting> };

/** One listener for a connection, which serves many requests: one for each response would cost 5 µs a request. */
export function watchConnection(socket: Watched, waiting: Waiting): void {
  const present = socket[WAITING];
  if (present) {
    present.add(waiting);
    return;
  }
  const all = new Set([waiting]);
  socket[WAITING] = all;
  socket.once('close', () => {
    for (const one of all) one.hungUp();
  });
}

export function unwatchConnection(socket: Watched, waiting: Waiting): void {
  socket[WAITING]?.delete(waiting);
}
