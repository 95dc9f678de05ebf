// Prunes a store whose sessions have all expired, as servers do it by themselves, and watches each batch.
import { createSessions } from 'madeleine';
import { secret } from '../contenders/shared.mjs';
import { EXPIRED } from './records.mjs';

/** @returns how many were pruned, once all are */
export function pruneWatched(store, watch) {
  const { admin } = store;
  const { prune } = admin;
  admin.prune = (...args) => watch.slice(() => prune(...args));
  return createSessions({ secret, store, clock: () => EXPIRED }).prune();
}
