/** Which sessions a request has already. */
import { MadeleineError } from '../errors.ts';
import type { Session } from '../session/bag.ts';
import type { Sessions } from '../session/sessions.ts';
import type { RequestFacts } from '../session/state.ts';
import { sessionMissing } from './missing.ts';

/** One request's session, as far as it matters here. */
interface Mounted {
  readonly sessions: Sessions<object>;
  readonly session: Session<object>;
}

/**
 * Whether these sessions are among those mounted: because `session()` stands there twice, or on a path and again below it.
 *
 * @throws MadeleineError `ERR_SESSION_NAME_TWICE`
 */
export function isMounted<Data extends object>(
  sessions: Sessions<Data>,
  mounted: readonly Mounted[],
  facts: RequestFacts,
): boolean {
  // The rest is a function of its own, as it makes closures: nearly every request ends here.
  return mounted.length > 0 && isAmong(sessions, mounted, facts);
}

function isAmong<Data extends object>(
  sessions: Sessions<Data>,
  mounted: readonly Mounted[],
  facts: RequestFacts,
): boolean {
  if (mounted.some(one => isOf(one, sessions))) return true;
  const name = sessions.cookieName(facts.secure);
  if (mounted.some(one => one.sessions.cookieName(facts.secure) === name)) throw nameTwice();
  return false;
}

/**
 * The session that these sessions opened, typed.
 *
 * @param missing makes the error for where there is none
 * @throws MadeleineError `ERR_SESSION_MISSING`
 */
export function sessionAmong<Data extends object>(
  sessions: Sessions<Data>,
  mounted: readonly Mounted[],
  missing: () => MadeleineError = sessionMissing,
): Session<Data> {
  const found = mounted.find(one => isOf(one, sessions));
  if (!found) throw missing();
  return found.session as Session<Data>;
}

function isOf(one: Mounted, sessions: object): boolean {
  return one.sessions === sessions;
}

function nameTwice(): MadeleineError {
  return new MadeleineError(
    'ERR_SESSION_NAME_TWICE',
    'Two different session() share one cookie name on this request.',
    'Give one of them another "name".',
  );
}
