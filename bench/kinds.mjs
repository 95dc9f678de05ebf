// The kinds of request, and for each the right answer: the application answers with it, the load generator checks it.

export const KINDS = {
  read: { path: '/read', withCookie: true },
  write: { path: '/write', withCookie: true },
  none: { path: '/visitor', withCookie: false },
};

/** Made of the session, so that a session that lost its data shows; of constant size, so that every variant sends the same. */
export const answers = {
  read: session => `${session.cart.length} items, a note of ${session.note.length} characters`,
  write: session => `written ${String(session.n).padStart(10, '0')} times`,
  none: session => (session.user === undefined ? 'a visitor' : 'somebody else'),
};

/** The bytes on the wire: the same for every variant, up to what the cookie says. */
export function requestBytes(kind, cookie) {
  const { path, withCookie } = KINDS[kind];
  const lines = [`GET ${path} HTTP/1.1`, 'Host: localhost', 'User-Agent: madeleine-bench', 'Accept: */*'];
  if (withCookie) lines.push(`Cookie: ${cookie}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
