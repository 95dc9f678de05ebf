// Prunes a store whose sessions have all expired, as servers do it by themselves, and watches each batch.
import { createSessions } from 'madeleine';
import { secret } from '../contenders/shared.mjs';
import { EXPIRED } from './records.mjs';

/** Made before anybody watches: what an application does once, as it starts. @returns prunes, and says how many, once all are */
export function pruningOf(store) {
  const { admin } = store;
  const { prune } = admin;
  const sessions = createSessions({ secret, store, clock: () => EXPIRED });
  return watch => {
    admin.prune = (...args) => watch.slice(() => prune(...args));
    return sessions.prune();
  };
}
