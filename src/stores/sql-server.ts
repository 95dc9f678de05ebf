/** What the stores over an SQL server share: time limits, connection strings and names. */
import { MadeleineError } from '../errors.ts';
import { invalidOption } from '../options.ts';

/** How long a connection that the store opens may take, in milliseconds. */
export const CONNECT_TIMEOUT = 5_000;
/**
 * After so many milliseconds a connection that does not answer is given up. By then nobody waits for the session any more,
 * but a connection that hangs for ever would be one less for those who come.
 */
export const STATEMENT_TIMEOUT = 10_000;

/** How long the server may take to end the connections of a pool that has ended, in milliseconds. */
const GOODBYE = 1_000;

interface Socket {
  once(event: 'close', listener: () => void): unknown;
  destroy(): void;
}

/** The sockets of a pool: drivers end them and wait for the server to do the same, and if that hangs, the process would wait too. */
export class PoolSockets {
  readonly #open = new Set<Socket>();

  add(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
  }

  /** Breaks off what is still open a moment later, and waits for the pool. @param ending the pool's own end, under way */
  leave(ending: Promise<void>): Promise<void> {
    const breakOff = () => {
      for (const socket of this.#open) socket.destroy();
    };
    setTimeout(breakOff, GOODBYE).unref();
    return ending;
  }
}

/**
 * The connection string may hold a password, so it is never shown.
 *
 * @throws MadeleineError `ERR_STORE_INVALID` when it is not a URL of one of these protocols
 */
export function checkUrl(url: string, protocols: readonly string[], example: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed && protocols.includes(parsed.protocol)) return;
  const problem = parsed ? 'names another kind of server' : 'is not a URL';
  throw new MadeleineError('ERR_STORE_INVALID', `The connection string ${problem}.`, `Give one such as ${example}`);
}

/** Postgres cuts a longer name short without a word, and two tables may be one then; MySQL refuses it. In bytes. */
const LONGEST_NAME = 63;

/**
 * A name in the quotes of the server's SQL.
 *
 * @throws MadeleineError `ERR_OPTION_INVALID`
 */
export function quoteName(name: string, option: string, quote: string): string {
  const isName = typeof name === 'string' && name.trim() !== '' && !name.includes('\0');
  if (isName && Buffer.byteLength(name) <= LONGEST_NAME) return quote + name.replaceAll(quote, quote + quote) + quote;
  throw invalidOption(option, `is not a name of at most ${LONGEST_NAME} bytes`, "Give one, such as 'sessions'.");
}
