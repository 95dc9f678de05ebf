// On node:http.
import { inMemory, inSealedCookie, ours, secret, TOO_LARGE_FOR_A_COOKIE } from './shared.mjs';

async function madeleineOn(store) {
  const { session } = await import('madeleine/node');
  return { wrap: session({ secret, store }).withSession, ...ours(request => request.session) };
}

export const contenders = {
  bare: { make: () => ({ wrap: listener => listener }) },

  madeleine: inMemory(madeleineOn),

  'iron-session': {
    byDefault: true,
    cannot: { large: TOO_LARGE_FOR_A_COOKIE },
    async make() {
      const { getIronSession } = await import('iron-session');
      const options = { password: secret, cookieName: 'session', cookieOptions: { secure: false } };
      return {
        wrap: listener => async (request, response) => {
          request.session = await getIronSession(request, response, options);
          listener(request, response);
        },
        sessionOf: request => request.session,
        save: request => request.session.save(),
        // It has no ids that could be renewed: a login is a new cookie with the user in it.
        async login(request, user) {
          request.session.user = user;
        },
      };
    },
  },

  'madeleine-sealed-cookie': inSealedCookie(madeleineOn),
};
