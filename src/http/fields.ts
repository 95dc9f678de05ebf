/** What the fields of a response have to say of a session, whatever kind of response it is. */
import { warnOfLargeCookies } from '../cookie/headers.ts';
import type { OpenSession } from '../session/opened.ts';
import type { SetCookie } from '../session/session-cookie.ts';
import type { Sessions } from '../session/sessions.ts';

/** The head of a response that is about to leave. */
export interface LeavingHead {
  names(): Iterable<string>;
  field(name: string): string | null;
  setField(name: string, value: string): void;
  /** Puts the line in the place of any other of this name. Answers with all lines that the head has now. */
  setCookie(cookie: SetCookie): readonly string[];
}

/** Puts into the head what the session means for the client and for caches. @param cookies what `setCookies` of this session gave */
export function tellOfSession(
  open: Pick<OpenSession<object>, 'accessed' | 'unavailable'>,
  cookies: readonly SetCookie[],
  head: LeavingHead,
  sessions: Pick<Sessions, 'warn'>,
): void {
  if (open.accessed) {
    setIfChanged(head, 'Vary', varyBy(head.field('Vary'), 'Cookie'));
    // What somebody is shown because their session cannot be read must not be shown to them again once it can.
    if (open.unavailable) for (const name of cacheFields(head)) head.setField(name, notStored(head.field(name)));
  }
  if (cookies.length === 0) return;
  for (const cookie of cookies) warnOfLargeCookies(head.setCookie(cookie), sessions.warn);
  for (const name of cacheFields(head))
    setIfChanged(head, name, withoutSharedCaching(name, head.field(name), sessions));
}

/**
 * Some caches have a field of their own, which counts for them instead of Cache-Control (RFC 9213): CDN-Cache-Control, those with a
 * vendor's name before it, and Surrogate-Control, which is older.
 */
export const TARGETED: RegExp = /^(.+-cache-control|surrogate-control)$/i;

/** The fields that say what caches may do. */
function cacheFields(head: LeavingHead): string[] {
  const targeted = [...head.names()].filter(name => TARGETED.test(name));
  return ['Cache-Control', ...targeted];
}

function setIfChanged(head: LeavingHead, name: string, value: string | null): void {
  if (value !== null) head.setField(name, value);
}

/** Vary with this request field in it (RFC 9110 section 12.5.5); `null`: it says so already. */
export function varyBy(present: string | null, field: string): string | null {
  if (!present) return field;
  const names = present.split(',').map(name => name.trim().toLowerCase());
  return names.includes('*') || names.includes(field.toLowerCase()) ? null : `${present}, ${field}`;
}

/** Directives that keep shared caches from giving this cookie to others. With names of fields they count for those alone (RFC 9111 section 5.2.2). */
const KEEPS_OUT =
  /(?:^|,)\s*(?:(?:no-store|private|no-cache)\s*(?:,|$)|(?:private|no-cache)\s*=\s*"(?:[^"]*[,\s])?set-cookie\s*[,"])/i;

/**
 * Cache-Control, or what counts instead of it, beside a session cookie; `null`: it may stay as it is. A response that gives one person
 * a session cookie must not be handed to another by a cache. What the handler said stands if it keeps shared caches out; otherwise it
 * becomes `no-store`. An application that wants otherwise sets `Cache-Control: no-cache="Set-Cookie"` (RFC 9111 section 5.2.2.4), which
 * lets caches keep everything but the cookie.
 *
 * @param sessions are told when the handler wanted shared caches
 */
function withoutSharedCaching(name: string, present: string | null, sessions: Pick<Sessions, 'warn'>): string | null {
  if (present !== null) {
    if (KEEPS_OUT.test(present)) return null;
    const isMarked =
      name === 'Cache-Control' ? /\b(public|s-maxage)\b/i.test(present) : present.replace(CONTENT, '') !== '';
    if (isMarked) {
      sessions.warn(
        'MADELEINE_CACHE',
        `A response that sets the session cookie was marked for shared caches; it was sent with ${name}: no-store instead. Say no-cache="Set-Cookie" beside it if the rest may be cached.`,
      );
    }
  }
  return notStored(present);
}

/** Surrogate-Control also tells a cache to put the page together (ESI), stored or not; without that it would be shown in pieces. */
const CONTENT = /(?:^|,)\s*(content\s*=\s*"[^"]*"[^,]*)/i;

function notStored(present: string | null): string {
  const content = present === null ? undefined : CONTENT.exec(present)?.[1];
  return content === undefined ? 'no-store' : `no-store, ${content.trim()}`;
}
