import type { SessionStore } from 'madeleine';

/** Makes a call to a store, before or after something else. */
export type Around = <Answer>(call: () => Answer | Promise<Answer>) => Answer | Promise<Answer>;

/** The store without its admin part, each call of which is made by this. */
export function aroundCalls(store: SessionStore, around: Around): SessionStore {
  return {
    read: key => around(() => store.read(key)),
    create: (key, record) => around(() => store.create(key, record)),
    replace: (key, record, expected) => around(() => store.replace(key, record, expected)),
    touch: (key, lastSeenAt, expiresAt) => around(() => store.touch(key, lastSeenAt, expiresAt)),
    delete: key => around(() => store.delete(key)),
  };
}
