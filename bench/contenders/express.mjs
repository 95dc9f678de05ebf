// On Express: what each one mounts, with the settings that its README recommends.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cookieContenders } from './express-cookies.mjs';
import { storeContenders } from './express-stores.mjs';
import { expressSession, mounting } from './express-ways.mjs';
import { ours, secret, TOO_LARGE_FOR_A_COOKIE } from './shared.mjs';

export const contenders = {
  bare: { make: () => mounting((_request, _response, next) => next()) },

  madeleine: {
    byDefault: true,
    async make({ keep }) {
      const { session } = await import('madeleine/express');
      const { memoryStore } = await import('madeleine/memory');
      return {
        ...mounting(session({ secret, store: keep(memoryStore()) })),
        ...ours(request => request.session),
      };
    },
  },

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

  'madeleine-sealed-cookie': {
    cannot: { large: TOO_LARGE_FOR_A_COOKIE },
    async make() {
      const { session } = await import('madeleine/express');
      const { sealedCookieStore } = await import('madeleine/sealed-cookie');
      return { ...mounting(session({ secret, store: sealedCookieStore() })), ...ours(request => request.session) };
    },
  },

  'madeleine-sqlite': {
    async make({ keep }) {
      const { session } = await import('madeleine/express');
      const { sqliteStore } = await import('madeleine/sqlite');
      const folder = mkdtempSync(path.join(tmpdir(), 'madeleine-bench-'));
      process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
      return {
        ...mounting(session({ secret, store: keep(sqliteStore(path.join(folder, 'sessions.db'))) })),
        ...ours(request => request.session),
      };
    },
  },

  ...storeContenders,
  ...cookieContenders,
};
