// On Express: what each one mounts, with the settings that its README recommends.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cookieContenders } from './express-cookies.mjs';
import { storeContenders } from './express-stores.mjs';
import { expressSession, madeleineOn, mounting } from './express-ways.mjs';
import { inMemory, inSealedCookie, secret, TOO_LARGE_FOR_A_COOKIE } from './shared.mjs';

export const contenders = {
  bare: { make: () => mounting((_request, _response, next) => next()) },

  /** Express as it is under ours, without any session: only the first request meets a middleware of ours. */
  'bare-prepared': {
    byDefault: true,
    async make() {
      const { cookies } = await import('madeleine/express');
      const pass = (_request, _response, next) => next();
      let next = cookies();
      return mounting((request, response, goOn) => {
        const middleware = next;
        next = pass;
        middleware(request, response, goOn);
      });
    },
  },

  madeleine: inMemory(madeleineOn),

  'express-session': {
    byDefault: true,
    async make({ keep }) {
      const { default: session } = await import('express-session');
      return expressSession(session, keep(new session.MemoryStore()));
    },
  },

  'cookie-session': {
    byDefault: true,
    cannot: { large: TOO_LARGE_FOR_A_COOKIE },
    async make() {
      const { default: cookieSession } = await import('cookie-session');
      return {
        ...mounting(cookieSession({ name: 'session', keys: [secret], maxAge: 24 * 60 * 60 * 1000 })),
        sessionOf: request => request.session,
        // It has no ids that could be renewed: a login is a new cookie with the user in it.
        async login(request, user) {
          request.session = { user };
        },
      };
    },
  },

  'madeleine-sealed-cookie': inSealedCookie(madeleineOn),

  'madeleine-sqlite': {
    async make({ keep }) {
      const { sqliteStore } = await import('madeleine/sqlite');
      const folder = mkdtempSync(path.join(tmpdir(), 'madeleine-bench-'));
      process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
      return madeleineOn(keep(sqliteStore(path.join(folder, 'sessions.db'))));
    },
  },

  ...storeContenders,
  ...cookieContenders,
};
