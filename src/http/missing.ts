/**
 * The errors and warnings for where `session` is not what a handler takes it for: the request has none, nearly always because two
 * lines are in the wrong order; it is another library's; it is assigned to; it holds a user whom nobody has logged in.
 */
import { MadeleineError } from '../errors.ts';
import { createWarnings, type Warn } from '../warnings.ts';
import { callSite } from './call-site.ts';

/** @param place the line that wants the session; by default the one that is calling us now */
export function sessionMissing(place: string | null = callSite()): MadeleineError {
  return new MadeleineError('ERR_SESSION_MISSING', 'This request has no session.', remedy(place));
}

/** The same where handlers are wrapped, and a session is asked for by the request. */
export function sessionNotWrapped(place: string | null = callSite()): MadeleineError {
  return new MadeleineError(
    'ERR_SESSION_MISSING',
    `This request has no session${place === null ? '' : `, for which ${place} asks`}.`,
    'Wrap the handler, withSession(handler), and ask with the very request that it is given: no copy of it has a session.',
  );
}

const warn: Warn = createWarnings();

/** Where looking for a session that is not there is no error, as in Express's `if (req.session)`: once, in development only. */
export function warnOfMissingSession(): void {
  if (process.env['NODE_ENV'] === 'production') return;
  warn('MADELEINE_ORDER', `A handler looked for a session on a request that has none. ${remedy(callSite())}`);
}

/** Warns where another library has put its session on the request itself, which hides ours on the prototype. */
export function warnIfShadowed(request: object): void {
  if (Object.getOwnPropertyDescriptor(request, 'session')?.writable) warnShadowed('req', 'express-session');
}

/** @param holder what handlers call the object whose `session` is not ours */
export function warnShadowed(holder: string, library: string): void {
  const problem = `${holder}.session is that of another library, such as ${library}, which stands above session() and hides ours.`;
  warn('MADELEINE_SHADOWED', `${problem} Remove it; while both are needed, reach ours as of(${holder}).`);
}

/** What people put into a session by hand, and what passport does, where other libraries have no login of their own. */
const BY_HAND = ['user', 'userId', 'passport'];

/** To be called where a guard lets a visitor not pass who is not logged in: their data may look as if they were. */
export function warnOfLoginByHand(session: object): void {
  const name = BY_HAND.find(key => Object.hasOwn(session, key) && saysSomething(session[key as never]));
  if (name === undefined) return;
  warn(
    'MADELEINE_LOGIN',
    `A guard has refused a visitor whose session holds "${name}", but who is not logged in: no data does that. Where the password has been checked, call await session.login(user.id).`,
  );
}

/** What is set to null on logging out, and passport's empty object, say that nobody is there. */
function saysSomething(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value);
}

export function sessionAssigned(): MadeleineError {
  return new MadeleineError(
    'ERR_DATA_KEY',
    'The session was assigned to.',
    'Put data into it; end it with session.logout(), empty it with session.regenerate().',
  );
}

function remedy(place: string | null): string {
  const line = place === null ? 'the handlers that use it' : `the line ${place}`;
  return `Move session() above ${line}, on a path that covers it.`;
}
