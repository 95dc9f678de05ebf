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

/** A store for koa-session that keeps the objects: less work than any that makes text of them. */
export function mapStore() {
  const sessions = new Map();
  return {
    get: async key => sessions.get(key),
    set: async (key, data) => void sessions.set(key, data),
    destroy: async key => void sessions.delete(key),
  };
}
