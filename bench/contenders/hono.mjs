// On Hono.
import { inMemory, ours, secret } from './shared.mjs';

async function madeleineOn(store) {
  const { session } = await import('madeleine/hono');
  return { mount: app => app.use(session({ secret, store })), ...ours(c => c.get('session')) };
}

/** hono-sessions has `get` and `set`, where the routes say `session.n`. */
class NamedValues {
  #session;

  constructor(session) {
    this.#session = session;
  }
  get cart() {
    return this.#session.get('cart') ?? undefined;
  }
  set cart(value) {
    this.#session.set('cart', value);
  }
  get note() {
    return this.#session.get('note') ?? undefined;
  }
  set note(value) {
    this.#session.set('note', value);
  }
  get n() {
    return this.#session.get('n') ?? undefined;
  }
  set n(value) {
    this.#session.set('n', value);
  }
  get user() {
    return this.#session.get('user') ?? undefined;
  }
}

export const contenders = {
  bare: { make: () => ({ mount: app => app.use((_c, next) => next()) }) },

  madeleine: inMemory(madeleineOn),

  'hono-sessions': {
    byDefault: true,
    async make({ keep }) {
      const { MemoryStore, sessionMiddleware } = await import('hono-sessions');
      const middleware = sessionMiddleware({
        store: keep(new MemoryStore()),
        // "Recommended" where the store is not the cookie: without it an id is taken as it comes.
        encryptionKey: secret,
        expireAfterSeconds: 900,
        cookieOptions: { sameSite: 'Lax', path: '/', httpOnly: true },
      });
      return {
        mount: app => app.use('*', middleware),
        sessionOf: c => new NamedValues(c.get('session')),
        async login(c, user) {
          c.set('session_key_rotation', true);
          c.get('session').set('user', user);
        },
      };
    },
  },
};
