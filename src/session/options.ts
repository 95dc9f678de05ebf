import { type Clock, checkClock } from '../clock.ts';
import type { Secret } from '../crypto/keyring.ts';
import { type Duration, toTimer } from '../duration.ts';
import { MadeleineError } from '../errors.ts';
import { checkChoice, checkOptions, checkPositive, invalidOption, ownOptions } from '../options.ts';
import { type CarriedStore, isCarriedStore } from './carried-store.ts';
import type { SessionCookieOptions } from './cookie-variants.ts';
import { MERGE_RULES, type MergeRules } from './merge.ts';
import { mergeFlash } from './merge-flash.ts';
import { createPolicy, type LifetimeOptions, type Policy } from './policy.ts';
import type { SessionData } from './session-data.ts';
import type { SessionStore } from './store.ts';

export interface SessionsOptions<Data extends object = SessionData> extends LifetimeOptions {
  /** Signs the session cookie. A list rotates keys: the first signs, all verify. In production at least 32 bytes each. */
  secret: Secret;
  /** Where sessions are kept: on the server, or (`sealedCookieStore()`) nowhere but in the browser. */
  store: SessionStore | CarriedStore;
  /** The cookie's name without prefix; over https `__Host-` is put before it where it applies. Default `'session'`. */
  name?: string | undefined;
  /** The cookie's attributes. HttpOnly always; by default `Path=/`, `SameSite=Lax`, and Secure where the request came over https. */
  cookie?: SessionCookieOptions | undefined;
  /** How two writes to one key of the data are joined when the default rule is not what you want. */
  merge?: NoInfer<MergeRules<Data>> | undefined;
  /**
   * What happens to requests of one session that come at once. `'merge'` (default): they run side by side, and what they
   * changed is merged. `'serialize'`: in this process they take turns, each waiting at most `storeTimeout`; what meets
   * none the less is merged. `'last-write-wins'`: the later save replaces the data of the earlier; only for data of which
   * the losses do not matter.
   */
  concurrency?: Concurrency | undefined;
  /** The most bytes of JSON text that a session may hold. Default 1 MiB. */
  maxDataSize?: number | undefined;
  /** How long one call to the store may take before the request fails with 503. Default `'5s'`. */
  storeTimeout?: Duration | undefined;
  /**
   * What becomes of a request whose session cannot be read. `'fail'` (default): it gets a 503. `'anonymous'`: it is served as
   * a visitor without a session; whatever would change the session fails with the store's error, and the event `unavailable`
   * tells of it. Only where nothing wrong is shown or done to somebody who seems to be logged out.
   */
  onStoreError?: OnStoreError | undefined;
  /**
   * What becomes of a session whose id is used though it was given up longer than `grace` ago: by a thief, or by a client that
   * never got the new one. The event `reused` tells of it, and the request goes on without a session. `'end'` (default): the
   * session is ended, whoever holds it. `'report'`: it lives on, for the application to judge.
   */
  onReuse?: OnReuse | undefined;
  /** Tells the time; for tests. Default: the machine's clock. */
  clock?: Clock | undefined;
}

export type Concurrency = 'merge' | 'serialize' | 'last-write-wins';

export type OnStoreError = 'fail' | 'anonymous';

export type OnReuse = 'end' | 'report';

interface CheckedOptions {
  secret: Secret;
  store: SessionStore | CarriedStore;
  concurrency: Concurrency;
  onStoreError: OnStoreError;
  onReuse: OnReuse;
  name: string;
  cookie: SessionCookieOptions;
  policy: Policy;
  merge: MergeRules;
  maxDataSize: number;
  storeTimeout: number;
  clock: Clock;
}

const KNOWN = [
  ...['secret', 'store', 'name', 'cookie', 'merge', 'concurrency', 'maxDataSize', 'storeTimeout', 'clock'],
  ...['onStoreError', 'onReuse'],
  ...['idle', 'absolute', 'remember', 'grace'],
];

const LIFETIME = 'Say how long a session lives with "idle", "absolute" and "remember".';
const ROLLING = 'Remove it: "idle" counts from the last request, and a persistent cookie is renewed with it.';
const NEW_IDS = 'Remove it: ids are 256 random bits.';
const NAME = 'It is called "name".';
const SECRET = 'It is called "secret". To keep the data in the cookie, take sealedCookieStore() for a store.';
const TRUST_PROXY = "Remove it and tell the framework: app.set('trust proxy', 1) in Express, app.proxy = true in Koa.";
const ofTheCookie = (name: string): string => `It belongs into "cookie": { cookie: { ${name}: … } }.`;
const ALWAYS = 'Remove it: the session cookie is always HttpOnly, signed and set once.';

/** What users of other session libraries bring along: of Express, Fastify, Koa and Hono, and iron-session. */
const HINTS = {
  resave: 'Remove it: a session is written when it changed, and not otherwise.',
  saveUninitialized: 'Remove it: a session is stored once something is put in it.',
  unset: 'Remove it: end a session with req.session.logout().',
  autoCommit: 'Remove it: a session is saved before the response leaves.',
  key: 'What names the cookie is called "name", what signs it "secret".',
  cookieOptions: 'It is called "cookie".',
  idleTimeout: 'It is called "idle".',
  absoluteTimeout: 'It is called "absolute".',
  rolling: ROLLING,
  renew: ROLLING,
  autoExtendExpiration: ROLLING,
  genid: NEW_IDS,
  idGenerator: NEW_IDS,
  maxAge: LIFETIME,
  lifetime: LIFETIME,
  ttl: LIFETIME,
  expiry: LIFETIME,
  expireAfterSeconds: LIFETIME,
  cookieName: NAME,
  sessionName: NAME,
  sessionCookieName: NAME,
  password: SECRET,
  encryptionKey: SECRET,
  keys: SECRET,
  proxy: TRUST_PROXY,
  trustProxy: TRUST_PROXY,
  path: ofTheCookie('path'),
  domain: ofTheCookie('domain'),
  sameSite: ofTheCookie('sameSite'),
  secure: ofTheCookie('secure'),
  persistent: ofTheCookie('persistent'),
  httpOnly: ALWAYS,
  signed: ALWAYS,
  overwrite: ALWAYS,
};

/** @throws MadeleineError for anything unknown, wrong or contradictory, before the first request */
export function checkSessionsOptions<Data extends object>(given: SessionsOptions<Data>): CheckedOptions {
  const options = checkOptions(given, KNOWN, 'session', HINTS);
  const { secret, store, name = 'session', cookie = {}, merge = {}, maxDataSize = 1024 * 1024 } = options;
  const { concurrency = 'merge', onStoreError = 'fail', onReuse = 'end' } = options;
  checkPositive('maxDataSize', maxDataSize, 'Give the limit in bytes.');
  checkChoice('concurrency', concurrency, ['merge', 'serialize', 'last-write-wins']);
  checkChoice('onStoreError', onStoreError, ['fail', 'anonymous']);
  checkChoice('onReuse', onReuse, ['end', 'report']);
  if (concurrency === 'serialize' && isCarriedStore(store)) {
    throw new MadeleineError(
      'ERR_OPTION_CONFLICT',
      'Requests whose session travels in their own cookies cannot take turns: each has what its browser sent, not what the one before left.',
      "Leave out concurrency: 'serialize', or keep sessions in a store on the server.",
    );
  }
  if (typeof name !== 'string') throw invalidOption('name', 'is not text', 'Give the bare name of the cookie.');
  checkMergeRules(merge);
  const storeTimeout = toTimer(options.storeTimeout ?? '5s', 'storeTimeout');
  return {
    ...{ secret, store, name, cookie, concurrency, onStoreError, onReuse, maxDataSize, storeTimeout },
    policy: createPolicy(options),
    merge: { flash: mergeFlash, ...(merge as MergeRules) },
    clock: checkClock(options.clock),
  };
}

function checkMergeRules(rules: object): void {
  for (const [key, rule] of Object.entries(ownOptions(rules, 'merge'))) {
    if (typeof rule === 'function') continue;
    checkChoice(`merge.${key}`, rule, MERGE_RULES, ['a function (base, mine, theirs) => value']);
  }
}
