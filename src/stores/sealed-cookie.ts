/** `madeleine/sealed-cookie`: the whole session in the browser's cookies, sealed. */
import type { CookieAttributes } from '../cookie/attributes.ts';
import { cookieValues } from '../cookie/parse.ts';
import { clearCookie, serializeCookie } from '../cookie/serialize.ts';
import { createKeyring } from '../crypto/keyring.ts';
import { sha256 } from '../crypto/token.ts';
import { checkOptions, invalidOption } from '../options.ts';
import type { Carried, CarriedStore, CarriedTerms, Carrier } from '../session/carried-store.ts';
import {
  type CookieVariant,
  type CookieVariants,
  createCookieVariants,
  keptFor,
  onlyGenuine,
} from '../session/cookie-variants.ts';
import { guardStore } from '../session/guarded-store.ts';
import type { SessionCookie, SetCookie } from '../session/session-cookie.ts';
import type { SessionStore } from '../session/store.ts';
import { RequestRecords } from './carried-records.ts';
import { type Epoch, Revocation } from './revocation.ts';
import { createSealedText, type SealedSession, type SealedText } from './sealed-text.ts';

/**
 * By what a session can be ended before its time is over. **Without either, `logout()`, `destroy()`, `rotate()` and a login
 * end the session in this browser alone: who has a copy of the cookie goes on until the times in it have run out.**
 */
export interface SealedCookieOptions {
  /**
   * Any store, small: it holds a tombstone for each session that was ended, until no copy of its cookie counts any more. Costs
   * one look-up for each request with a session, another where it changes the session, has its
   * cookie renewed or comes with an id from before a rotation, and one where it saves before it responds. It is closed by `sessions.close()`.
   */
  denylist?: SessionStore | undefined;
  /**
   * Milliseconds since 1970 for a user: what was authenticated before is refused. Asked at each request of somebody who is
   * logged in; throwing or not answering within `storeTimeout` is a 503.
   */
  epoch?: ((userId: string) => number | Promise<number>) | undefined;
}

const HINTS = {
  secret: 'Remove it: the key is made from the "secret" of the session, for this use alone.',
  password: 'Remove it: the key is made from the "secret" of the session, for this use alone.',
  ttl: 'Say how long a session lives with "idle", "absolute" and "remember" of the session.',
};

/**
 * Keeps sessions nowhere but in the browser: AES-256-GCM, times and all inside the seal, in one cookie or two, of 7 KiB
 * together, which is about 5 KB of data. Use it as the `store` of `session()`. What cannot hold without a store on the
 * server is said at `CarriedStore`.
 *
 * ```js
 * app.use(session({ secret, store: sealedCookieStore() }));
 * app.use(session({ secret, store: sealedCookieStore({ denylist: sqliteStore('ended.db') }) }));
 * ```
 *
 * @throws MadeleineError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_INVALID`
 */
export function sealedCookieStore(options: SealedCookieOptions = {}): CarriedStore {
  const { denylist, epoch } = checkOptions(options, ['denylist', 'epoch'], 'sealedCookieStore', HINTS);
  if (epoch !== undefined && typeof epoch !== 'function') {
    throw invalidOption(
      'epoch',
      'is not a function',
      'Give one that answers with milliseconds since 1970 for a user id.',
    );
  }
  return { carry: terms => carry(terms, denylist, epoch) };
}

type Variant = CookieVariant & SealedText;
type Variants = CookieVariants<Variant>;

function carry(terms: CarriedTerms, denylist: SessionStore | undefined, epoch: Epoch | undefined): Carrier {
  const { policy, clock, storeTimeout, events } = terms;
  const keyring = createKeyring(terms.secret);
  const variants = createCookieVariants(terms.name, terms.cookie, name => createSealedText(keyring, name));
  const list = denylist === undefined ? null : guardStore(denylist, storeTimeout, 'Option "denylist"');
  const revocation = new Revocation(list, epoch ?? null, policy, clock, storeTimeout);
  // The name over https is the longer: what fits there fits everywhere.
  const check = variants.overHttps.check;
  const newRecords = () => new RequestRecords(revocation, check, clock, policy);

  function read(header: string, from: Variant): SealedSession | null {
    const firsts = cookieValues(header, from.name);
    if (firsts.length === 0) return null;
    const seconds = [...new Set(cookieValues(header, from.second))];
    return onlyGenuine(firsts, first => from.open(first, seconds), events);
  }

  return {
    store: newRecords(),
    cookie: new SealedCookie(variants, '', newRecords()),
    receive(header, facts): Carried {
      const store = newRecords();
      const from = header ? variants.pick(facts.secure) : null;
      const found = header && from ? read(header, from) : null;
      const cookie = new SealedCookie(variants, header ?? '', store);
      if (found === null) return { store, cookie, presented: null };
      const key = sha256(found.id);
      store.bring(key, found.record);
      return { store, cookie, presented: { id: found.id, key, renew: found.keyIndex > 0 } };
    },
  };
}

/** The cookies of one request. */
class SealedCookie implements SessionCookie {
  readonly persistent: boolean;
  readonly #variants: Variants;
  readonly #header: string;
  readonly #records: RequestRecords;

  constructor(variants: Variants, header: string, records: RequestRecords) {
    this.persistent = variants.persistent;
    this.#variants = variants;
    this.#header = header;
    this.#records = records;
  }

  name(secure: boolean): string | null {
    return this.#variants.pick(secure)?.name ?? null;
  }

  attributes(secure: boolean): CookieAttributes {
    return (this.#variants.pick(secure) ?? this.#variants.overHttps).attributes;
  }

  set(id: string, key: string, secure: boolean, lifetime: number | null): readonly SetCookie[] {
    const variant = this.#variants.pick(secure) as Variant;
    const record = this.#records.current(key);
    if (record === null) return [];
    const attributes = lifetime === null ? variant.attributes : keptFor(lifetime, variant.attributes);
    const [first, second] = variant.close(id, record);
    const line = (name: string, value: string) => ({ name, line: serializeCookie(name, value, attributes) });
    if (second === undefined) return [line(variant.name, first), ...this.#clearSecond(variant)];
    return [line(variant.name, first), line(variant.second, second)];
  }

  clear(secure: boolean): readonly SetCookie[] {
    const variant = this.#variants.pick(secure) as Variant;
    const { name, attributes } = variant;
    return [{ name, line: clearCookie(name, attributes) }, ...this.#clearSecond(variant)];
  }

  /** Only where the browser has one. */
  #clearSecond({ second, attributes }: Variant): SetCookie[] {
    if (cookieValues(this.#header, second).length === 0) return [];
    return [{ name: second, line: clearCookie(second, attributes) }];
  }
}
