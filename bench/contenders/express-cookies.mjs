// On Express, cookies alone: ours and cookie-parser. A signed cookie is set by Express itself with the key that they give it.
import { mounting } from './express-ways.mjs';
import { secret } from './shared.mjs';

const reading = middleware => ({
  ...mounting(middleware),
  cookiesOf: request => request.cookies,
  signedOf: request => request.signedCookies,
  setSigned: (request, name, value) => request.res.cookie(name, value, { signed: true }),
});

export const cookieContenders = {
  'madeleine-cookies': {
    of: 'cookies',
    byDefault: true,
    async make() {
      const { cookies } = await import('madeleine/express');
      return reading(cookies(secret));
    },
  },

  'cookie-parser': {
    of: 'cookies',
    byDefault: true,
    async make() {
      const { default: cookieParser } = await import('cookie-parser');
      return reading(cookieParser(secret));
    },
  },
};
