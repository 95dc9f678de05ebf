/** What a store is that keeps nothing: whose sessions travel with each request, whole, in the browser's cookies. */
import type { Clock } from '../clock.ts';
import type { Secret } from '../crypto/keyring.ts';
import type { SessionCookieOptions } from './cookie-variants.ts';
import type { EventHub } from './events.ts';
import type { GuardedStore } from './guarded-store.ts';
import type { Policy } from './policy.ts';
import type { PresentedId, SessionCookie } from './session-cookie.ts';

/**
 * Sessions without a store on the server: `sealedCookieStore()` makes one. It cannot keep all that a `SessionStore` keeps,
 * and so is not one:
 *
 * - What two requests change at the same time is not merged: each answers with the whole session, and the browser keeps
 *   the response that came last. So one that was under way during a `logout` and changes the session brings it back there,
 *   unless the store has a denylist.
 * - A copy of a cookie opens the session as it was, until the times in it have run out. `logout`, `destroy` and `rotate`
 *   end it before that only where the store was given something to revoke by.
 * - Nobody can list sessions: `list` and `revokeAll` fail with `ERR_STORE_NO_ADMIN`.
 * - What is changed after the head of the response has left fails with `ERR_HEADERS_SENT`.
 */
export interface CarriedStore {
  /** Called once, by `createSessions`. */
  carry(terms: CarriedTerms): Carrier;
}

export interface CarriedTerms {
  readonly secret: Secret;
  readonly name: string;
  readonly cookie: SessionCookieOptions;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly storeTimeout: number;
  readonly events: EventHub;
}

export interface Carrier {
  /** For what is done outside of any request. */
  readonly store: GuardedStore;
  readonly cookie: SessionCookie;
  /** What a request with this Cookie field brings along. */
  receive(header: string | undefined, facts: { readonly secure: boolean }): Carried;
}

/** One request's session, as its own cookies hold it. */
export interface Carried {
  readonly store: CarriedRecords;
  readonly cookie: SessionCookie;
  readonly presented: PresentedId | null;
}

/** The session of that request. */
export interface RecordsHolder {
  /** A record was made or changed, and so has to go back to the browser. */
  recordChanged(): void;
}

/** A store that lives as long as one request and its response. */
export interface CarriedRecords extends GuardedStore {
  /**
   * Who is told of changes. An object, and not a function: V8 took closures that are made for each request for long-lived, and
   * collecting what they held took a third of the request's time.
   */
  holder: RecordsHolder | null;
  /** From now on nothing can be changed, as no cookie can tell the browser. */
  headLeaves(): void;
}

export function isCarriedStore(store: object | null): store is CarriedStore {
  return typeof (store as Partial<CarriedStore> | null)?.carry === 'function';
}
