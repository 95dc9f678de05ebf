/** The sessions of any adapter: the core's, and a store where none is given. */

// From index.ts, so that `declare module 'madeleine' { interface SessionData { … } }` works in every program that uses an adapter.
import type { SessionData } from '../index.ts';
import { ownOptions } from '../options.ts';
import type { Session } from '../session/bag.ts';
import type { SessionsOptions } from '../session/options.ts';
import { createSessions, type Sessions } from '../session/sessions.ts';
import { memoryStore } from '../stores/memory.ts';

/** Everything is optional but `secret`; without a store, sessions are kept in memory, bounded, until the process ends. */
export interface SessionOptions<Data extends object = SessionData> extends Omit<SessionsOptions<Data>, 'store'> {
  /** Where sessions are kept: what `sqliteStore()` and its like give. Default: `memoryStore()`, in this process alone. */
  store?: SessionsOptions['store'] | undefined;
}

/** The same for servers that have no proxy setting of their own. */
export interface ProxiedSessionOptions<Data extends object = SessionData> extends SessionOptions<Data> {
  /**
   * How many proxies of yours stand before this server. Their X-Forwarded-Proto and X-Forwarded-For are believed, as far as
   * these proxies wrote them. Default 0: no such field is believed, and a request came over https if its connection did, or as
   * its URL says.
   */
  trustProxy?: number | undefined;
}

/** What the `session()` of every adapter gives, beside what its framework calls. */
export interface AdapterSessions<Data extends object, Source> {
  /** Lists, revokes and prunes sessions, outside a request as well. */
  readonly sessions: Sessions<Data>;
  /** The session that it opened for the request, typed. @throws MadeleineError `ERR_SESSION_MISSING` */
  of(source: Source): Session<Data>;
}

const IN_MEMORY =
  "Sessions are kept in this process's memory: its end logs everybody out, and another process does not know them. Give " +
  'session() a store; if it is meant so, memoryStore().';

/** @throws MadeleineError for wrong options */
export function createAdapterSessions<Data extends object>(options: SessionOptions<Data>): Sessions<Data> {
  const given = ownOptions(options ?? {}, 'session');
  // Not `??`: `null` is a store that was meant to be there, and `createSessions` refuses it.
  const store = given.store === undefined ? memoryStore(given.clock ? { clock: given.clock } : {}) : given.store;
  const sessions = createSessions<Data>({ ...given, store });
  const isForgetful = given.store === undefined && process.env['NODE_ENV'] === 'production';
  if (isForgetful) sessions.warn('MADELEINE_MEMORY', IN_MEMORY, 'everywhere');
  return sessions;
}
