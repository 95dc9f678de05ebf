// On Fastify.
import { inMemory, ours, secret } from './shared.mjs';

async function madeleineOn(store) {
  const { session } = await import('madeleine/fastify');
  return { mount: app => app.register(session, { secret, store }), ...ours(request => request.session) };
}

export const contenders = {
  bare: { make: () => ({ mount: app => app.addHook('onRequest', (_request, _reply, done) => done()) }) },

  madeleine: inMemory(madeleineOn),

  '@fastify/session': {
    byDefault: true,
    async make({ keep }) {
      const { default: cookie } = await import('@fastify/cookie');
      const { default: session } = await import('@fastify/session');
      const store = keep(new session.MemoryStore());
      return {
        mount(app) {
          app.register(cookie);
          // Without `rolling` it saves only what was changed, as the others here do: that is less work for it.
          app.register(session, { secret, store, saveUninitialized: false, rolling: false, cookie: { secure: false } });
        },
        sessionOf: request => request.session,
        async login(request, user) {
          await request.session.regenerate();
          request.session.user = user;
        },
      };
    },
  },
};
