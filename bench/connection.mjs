// One HTTP/1.1 connection, kept alive, one request under way at a time. No client library, so that the load is light.
import { connect } from 'node:net';

export const LONGEST_WAIT = 15_000;

/**
 * Lets the visitors take turns until it may not go on, and waits for the answer under way.
 *
 * @param visitors `{ request, answered(body, head) }`: the bytes to send; throws when the answer is wrong
 * @returns how many were answered
 */
export function converse(port, visitors, goesOn) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let answered = 0;
    let received = '';

    const visitor = () => visitors[answered % visitors.length];
    const ask = () => socket.write(visitor().request);

    socket.on('connect', ask);
    socket.on('data', chunk => {
      received += chunk.latin1Slice();
      try {
        const answer = answerIn(received);
        if (answer === null) return;
        visitor().answered(answer.body, answer.head);
      } catch (error) {
        socket.destroy(error);
        return;
      }
      received = '';
      answered += 1;
      if (goesOn()) ask();
      else socket.end();
    });
    socket.setTimeout(LONGEST_WAIT, () => socket.destroy(new Error(`no answer within ${LONGEST_WAIT} ms`)));
    socket.on('error', reject);
    socket.on('close', () => {
      if (goesOn()) reject(new Error(`the server closed the connection. It had sent: ${received}`));
      else resolve(answered);
    });
  });
}

/** Head and body of a whole answer, null while some of it is missing. @throws on anything that is not a plain 200 */
export function answerIn(text) {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return null;
  const head = text.slice(0, headEnd);
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
  if (!head.startsWith('HTTP/1.1 200 ') || Number.isNaN(length)) {
    throw new Error(`not a 200 with a length:\n${text.slice(0, 2000)}`);
  }
  const body = text.slice(headEnd + 4);
  if (body.length > length) throw new Error(`more than one answer:\n${text.slice(0, 2000)}`);
  return body.length === length ? { head, body } : null;
}
