// The kinds of request, and for each the right answer: the application answers with it, the load generator checks it.
import { KILOBYTE } from './data.mjs';

/**
 * `fill`: the path that gives the visitor the cookies it comes with; without one it has none of the application.
 * `of`: what a contender has to have for it, sessions or cookies alone.
 */
export const KINDS = {
  read: { of: 'sessions', path: '/read', fill: '/fill', says: 'reads 1 KB of session data' },
  write: { of: 'sessions', path: '/write', fill: '/fill', says: 'counts up in a session of 1 KB' },
  none: { of: 'sessions', path: '/visitor', says: 'comes without a cookie' },
  large: { of: 'sessions', path: '/large', fill: '/fill-large', says: 'reads 50 KB of session data' },
  cookies: { of: 'sessions', path: '/read', fill: '/fill', foreign: 20, says: 'reads 1 KB among 20 foreign cookies' },
  forged: { of: 'sessions', path: '/visitor', fill: '/fill', says: 'comes with a new wrong signature each time' },
  login: { of: 'sessions', path: '/login', fill: '/login', says: 'logs in, known from the login before' },
  parsed: { of: 'cookies', path: '/cookies', says: 'reads req.cookies, no session' },
  signed: { of: 'cookies', path: '/signed', fill: '/signed', says: 'reads a signed cookie and sets it, no session' },
};

export const LARGE = 50 * KILOBYTE;

/** Made of the session, so that a session that lost its data shows; of constant size, so that every variant sends the same. */
export const answers = {
  read: session => `${session.cart.length} items, a note of ${session.note.length} characters`,
  write: ({ n }) => `written ${padded(n)} times`,
  visitor: session => (session.user === undefined && session.cart === undefined ? 'a visitor' : 'somebody else'),
  login: (before, now) => `was ${padded(before)}, is ${padded(now)}`,
  parsed: cookies => `${Object.keys(cookies).length} cookies: ${cookies.company}, number ${cookies.number}`,
  signed: n => `signed ${padded(n)} times`,
};

export function padded(number) {
  return String(number).padStart(10, '0');
}

/** What a visitor of the kind `parsed` sends, as the application should see it. */
export const plainCookies = number => ({
  theme: 'dark',
  lang: 'en-GB',
  company: 'Proust & Sons; Paris',
  consent: 'analytics=0/ads=0',
  number: padded(number),
});

/** Cookies that others set for the site: nothing that the application looks at. */
export const foreignCookies = count =>
  Array.from({ length: count }, (_, index) => `_ga_${index}=GS1.1.17000000${10 + index}.${index}.1.1700000042.60.0.0`);
