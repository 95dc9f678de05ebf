// Round trips of one request to each of the real servers.
import { GUARDED_KINDS } from './per-request.mjs';
import { countRoundTrips } from './round-trips.mjs';
import { STORES, startStore } from './stores.mjs';

/** Two commands of a login may leave for Redis together or one by one, as it happens: that is no figure to guard. */
const KINDS = GUARDED_KINDS.filter(kind => kind !== 'login');
const SETTINGS = { kinds: KINDS, data: 'objects' };

export async function roundTripFigures() {
  const figures = {};
  for (const store of STORES) {
    const server = await startStore(store);
    try {
      const url = await server.createDatabase();
      const counts = await countRoundTrips(`madeleine-${store}`, { settings: SETTINGS, url });
      for (const kind of KINDS) figures[`${store}, ${kind}`] = counts[kind];
    } finally {
      await server.stop();
    }
  }
  return figures;
}
