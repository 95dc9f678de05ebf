// How middleware is mounted on Express, and how express-session is used, whatever its store.
import { secret } from './shared.mjs';

export const mounting = middleware => ({ mount: app => app.use(middleware) });

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
