// How middleware is mounted on Express, and how ours and express-session are used, whatever their store.
import { ours, secret } from './shared.mjs';

export const mounting = middleware => ({ mount: app => app.use(middleware) });

export async function madeleineOn(store) {
  const { session } = await import('madeleine/express');
  return { ...mounting(session({ secret, store })), ...ours(request => request.session) };
}

export const expressSession = (session, store) => ({
  ...mounting(session({ secret, store, resave: false, saveUninitialized: false })),
  sessionOf: request => request.session,
  login: (request, user) =>
    new Promise((resolve, reject) => {
      request.session.regenerate(error => {
        if (error) return reject(error);
        request.session.user = user;
        resolve();
      });
    }),
});
