/** The core of madeleine: cookies and sessions without a framework. */

export type { Clock } from './clock.ts';
export type { CookieAttributes } from './cookie/attributes.ts';
export {
  type Consent,
  type ConsentCookie,
  type ConsentOptions,
  type ConsentPurpose,
  defineConsent,
} from './cookie/consent.ts';
export { type Cookie, type CookieOptions, type CookiePurpose, defineCookie } from './cookie/define.ts';
export type { CookieSource, CookieTarget } from './cookie/headers.ts';
export { parseCookies } from './cookie/parse.ts';
export { clearCookie, serializeCookie } from './cookie/serialize.ts';
export type { Secret } from './crypto/keyring.ts';
export type { Duration } from './duration.ts';
export { type ErrorCode, MadeleineError } from './errors.ts';
export type { JsonObject, JsonValue } from './json.ts';
export type { MaybePromise } from './maybe-promise.ts';
export type { Administration, SessionSummary, StoreHealth } from './session/administration.ts';
export type { About, Callback, ResultCallback, Session, SessionMethods } from './session/bag.ts';
export type { CarriedStore } from './session/carried-store.ts';
export type { SessionCookieOptions } from './session/cookie-variants.ts';
export type { SessionEvents, SessionListener } from './session/events.ts';
export type { LoginOptions } from './session/login-options.ts';
export { type MergeRule, type MergeRules, mergeData } from './session/merge.ts';
export type { OpenSession } from './session/opened.ts';
export type { Concurrency, OnReuse, OnStoreError, SessionsOptions } from './session/options.ts';
export { DEFAULT_LIFETIME, type LifetimeOptions } from './session/policy.ts';
export type { Device, SessionRecord } from './session/record.ts';
// `export *`, so that `declare module 'madeleine' { interface SessionData { … } }` reaches the interface itself.
export * from './session/session-data.ts';
export { createSessions, type Sessions } from './session/sessions.ts';
export type { RequestFacts } from './session/state.ts';
export type { Page, Replaced, SessionStore, StoreAdmin } from './session/store.ts';
