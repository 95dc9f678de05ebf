// On Koa.
import { inMemory, inSealedCookie, mapStore, ours, secret, TOO_LARGE_FOR_A_COOKIE } from './shared.mjs';

async function koaSession(options) {
  const { default: session } = await import('koa-session');
  return {
    mount(app) {
      app.keys = [secret];
      app.use(session(options, app));
    },
    sessionOf: ctx => ctx.session,
    async login(ctx, user) {
      ctx.session.user = user;
      await ctx.session.regenerate();
    },
  };
}

async function madeleineOn(store) {
  const { session } = await import('madeleine/koa');
  return { mount: app => app.use(session({ secret, store })), ...ours(ctx => ctx.session) };
}

export const contenders = {
  bare: { make: () => ({ mount: app => app.use((_ctx, next) => next()) }) },

  madeleine: inMemory(madeleineOn),

  'koa-session': {
    byDefault: true,
    cannot: { large: TOO_LARGE_FOR_A_COOKIE },
    make: () => koaSession({}),
  },

  'koa-session-memory': {
    byDefault: true,
    make: ({ keep }) => koaSession({ store: keep(mapStore()) }),
  },

  'madeleine-sealed-cookie': inSealedCookie(madeleineOn),
};
