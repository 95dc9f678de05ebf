// What the contenders of several frameworks have in common.

export const secret = 'a-secret-that-is-long-enough-for-production';

/** How our session is used, once it is known where a framework has it. */
export const ours = sessionOf => ({
  sessionOf,
  userOf: at => sessionOf(at).about.userId,
  login: (at, user) => sessionOf(at).login(user),
});

/** Why a session in a cookie does not take part in `large`. */
export const TOO_LARGE_FOR_A_COOKIE = 'it keeps the session in a cookie, and browsers drop what is larger than 4 KB';

/** Ours in memory. @param madeleineOn how a framework has it, over a store */
export const inMemory = madeleineOn => ({
  byDefault: true,
  async make({ keep }) {
    const { memoryStore } = await import('madeleine/memory');
    return madeleineOn(keep(memoryStore()));
  },
});

/** Ours in the browser's cookies. @param madeleineOn how a framework has it, over a store */
export const inSealedCookie = madeleineOn => ({
  cannot: { large: TOO_LARGE_FOR_A_COOKIE },
  async make() {
    const { sealedCookieStore } = await import('madeleine/sealed-cookie');
    return madeleineOn(sealedCookieStore());
  },
});

/** A store for koa-session that keeps the objects: less work than any that makes text of them. */
export function mapStore() {
  const sessions = new Map();
  return {
    get: async key => sessions.get(key),
    set: async (key, data) => void sessions.set(key, data),
    destroy: async key => void sessions.delete(key),
  };
}
