/** What the fields of a response have to say of a session, whatever kind of response it is. */
import type { Sessions } from '../session/sessions.ts';

/** Vary with this request field in it (RFC 9110 section 12.5.5); `null`: it says so already. */
export function varyBy(present: string | null, field: string): string | null {
  if (!present) return field;
  const names = present.split(',').map(name => name.trim().toLowerCase());
  return names.includes('*') || names.includes(field.toLowerCase()) ? null : `${present}, ${field}`;
}

/** Directives by which no shared cache shows this cookie to another. With names of fields they are about those alone (RFC 9111 section 5.2.2). */
const KEEPS_OUT =
  /(?:^|,)\s*(?:(?:no-store|private|no-cache)\s*(?:,|$)|(?:private|no-cache)\s*=\s*"[^"]*\bset-cookie\b)/i;

/**
 * Cache-Control beside a session cookie; `null`: it may stay as it is. A response that gives one person a session cookie must not
 * be handed to another by a cache. What the handler said stands if it keeps shared caches out; otherwise it becomes `no-store`.
 * An application that wants otherwise sets `Cache-Control: no-cache="Set-Cookie"` (RFC 9111 section 5.2.2.4), which lets caches
 * keep everything but the cookie.
 *
 * @param sessions are told when the handler wanted shared caches
 */
export function withoutSharedCaching(present: string | null, sessions: Pick<Sessions, 'warn'>): string | null {
  if (present !== null) {
    if (KEEPS_OUT.test(present)) return null;
    if (/\b(public|s-maxage)\b/i.test(present)) {
      sessions.warn(
        'MADELEINE_CACHE',
        'A response that sets the session cookie was marked for shared caches; it was sent with Cache-Control: no-store instead. Say no-cache="Set-Cookie" beside it if the rest may be cached.',
      );
    }
  }
  return 'no-store';
}
