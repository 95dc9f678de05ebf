// The shop as an Express app. Everything that it remembers of a visitor is in req.session.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import express from 'express';
import { requireSameOrigin, session } from 'madeleine/express';
import { sqliteStore } from 'madeleine/sqlite';
import { icon } from './catalogue.js';
import { html } from './html.js';
import { page } from './layout.js';
import { accountRoutes, loginRoutes } from './routes/account.js';
import { cartRoutes } from './routes/cart.js';
import { shopRoutes } from './routes/shop.js';
import { openUsers } from './users.js';

/** Who can log in from the start. */
export const DEMO_USERS = [
  { email: 'demo@madeleine.test', name: 'Marcel', password: 'tea-and-cake', role: 'customer' },
  { email: 'admin@madeleine.test', name: 'Céleste', password: 'keeper-of-keys', role: 'admin' },
];

const CONTENT_SECURITY_POLICY = "default-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/** @param folder where the databases are kept; made if it is not there */
export async function createShop({ folder, secret }) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const users = await openUsers(path.join(folder, 'users.db'));
  for (const user of DEMO_USERS) await users.register(user);
  const sessionMiddleware = session({ secret, store: sqliteStore(path.join(folder, 'sessions.db')) });

  const app = express();
  app.disable('x-powered-by');
  app.use((_req, res, next) => {
    res.set({
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'same-origin',
    });
    next();
  });
  app.get('/style.css', (_req, res) => res.sendFile(path.join(import.meta.dirname, 'style.css')));
  app.get('/icon.svg', (_req, res) => res.type('svg').send(icon()));
  app.use(requireSameOrigin());
  // Above the parser: a form that arrives slowly has the session from its beginning.
  app.use(sessionMiddleware, express.urlencoded({ extended: false, limit: '20kb' }));
  app.use(async (req, res, next) => {
    const { userId } = req.session.about;
    res.locals.user = userId === null ? null : users.byId(userId);
    // A user who was deleted meanwhile. From here on, who has a user id in the session has an account.
    if (userId !== null && !res.locals.user) await req.session.logout();
    // Otherwise browsers keep the page, and the back button shows it after the logout.
    if (res.locals.user) res.set('Cache-Control', 'no-store');
    next();
  });
  app.use(shopRoutes(), cartRoutes(), loginRoutes(users), accountRoutes(users, sessionMiddleware.sessions));

  app.use((req, res) => {
    res.status(404);
    page(
      req,
      res,
      'Not found',
      html`<section class="hero"><h1>Lost, like time.</h1><p>There is no such page. <a href="/">Back to the shop.</a></p></section>`,
    );
  });
  app.use((error, _req, res, next) => {
    if (res.headersSent) return next(error);
    const status = error.status ?? 500;
    if (status >= 500) console.error(error);
    res
      .status(status)
      .type('html')
      .send(
        html`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sorry</title><link rel="stylesheet" href="/style.css"></head>
      <body><main><section class="hero"><h1>Something went wrong.</h1><p>${status < 500 ? 'The shop could not read what your browser sent.' : 'Nothing that you did was half saved. Please try again in a moment.'}</p><p><a class="button" href="/">Back to the shop</a></p></section></main></body></html>`.toString(),
      );
  });

  return {
    app,
    sessions: sessionMiddleware.sessions,
    async close() {
      await sessionMiddleware.sessions.close();
      users.close();
    },
  };
}
