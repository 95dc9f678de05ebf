/** What the response has to do to the browser's cookie. */
import type { SetCookie } from './session-cookie.ts';
import type { SessionState } from './state.ts';

const TRUST_YOUR_PROXY =
  "tell your framework to trust it: in Express app.set('trust proxy', 1), in madeleine/node trustProxy: 1.";

const INSECURE =
  'No session cookie was set: cookie.secure is true and the request came over plain http. Behind a proxy that ends https, ' +
  `${TRUST_YOUR_PROXY} Without one, use cookie.secure: 'auto', and where that is a computer for development leave out ` +
  "sameSite: 'none': all ports of localhost are one site.";

const PROXY =
  'The session cookie was set without Secure, as over plain http, though a proxy says that the client came over https ' +
  `(X-Forwarded-Proto). If that proxy is yours, ${TRUST_YOUR_PROXY}`;

const SAMESITE =
  "A session cookie was set that the browser drops: a script of another site's page asked (Sec-Fetch-Site: cross-site), and the " +
  "cookie is not SameSite=None. Serve the page and this application below one domain, or set cookie: { sameSite: 'none', secure: true }.";

const NONE: readonly SetCookie[] = [];

/** The Set-Cookie lines that the response owes, as its head leaves. */
export function owedCookies(state: SessionState): readonly SetCookie[] {
  // First, as nearly every response ends here: asking Express whether a request is secure costs 1 µs.
  if (state.cookieDuty === 'leave') return NONE;
  const { cookie, clock, warn } = state.core;
  const { secure } = state.facts;
  const name = cookie.name(secure);
  if (name === null) {
    // In production too: that is where the proxy is.
    warn('MADELEINE_INSECURE', INSECURE, 'everywhere');
    return NONE;
  }
  // Where it would be Secure over https it has a prefix there.
  if (!secure && state.facts.forwardedHttps && cookie.name(true) !== name) warn('MADELEINE_PROXY', PROXY, 'everywhere');
  if (state.cookieDuty === 'clear') return cookie.clear(secure);
  if (state.record === null || state.id === null || state.key === null) return NONE;
  if (state.facts.scriptOfOtherSite && cookie.attributes(secure).sameSite !== 'none')
    warn('MADELEINE_SAMESITE', SAMESITE);
  const persistent = cookie.persistent || state.record.remember;
  const lifetime = persistent ? Math.max(1000, state.record.expiresAt - clock()) : null;
  return cookie.set(state.id, state.key, secure, lifetime);
}
