// Several variants of one framework, taking turns under the same load.
import { playRound, startContestant } from './contestant.mjs';
import { watchForgeries } from './forgery.mjs';
import { countRoundTrips } from './round-trips.mjs';
import { compare } from './statistics.mjs';
import { storeOf } from './stores.mjs';
import { inability, remembers, takesPart } from './variants.mjs';

/**
 * @param server where the sessions of the variants are kept, if they need one
 * @returns `results` by kind, `roundTrips`, and `words` about who is left out of what, and about forged cookies
 */
export async function playMatch(framework, names, { load, settings, places, server }) {
  const { kinds } = settings;
  const contestants = [];
  const roundTrips = {};
  const words = [];
  try {
    for (const name of names) {
      if (!kinds.some(kind => takesPart(framework, name, kind))) continue;
      const url = storeOf(name) && (await server.createDatabase());
      if (url) roundTrips[name] = await countRoundTrips(name, { settings, url });
      if (name.startsWith('madeleine') && roundTrips[name]?.forged > 0) {
        throw new Error(`${name}: ${roundTrips[name].forged} round trips for a forged cookie.`);
      }
      if (!url && takesForgeries(framework, name, kinds))
        words.push(await watchForgeries(framework, name, { settings }));
      const contestant = await startContestant(framework, name, { settings, core: places.server, url });
      if (contestant) contestants.push(contestant);
    }
    const results = [];
    for (const kind of kinds) {
      words.push(...leftOut(framework, names, kind));
      const taking = contestants.filter(({ name }) => takesPart(framework, name, kind));
      if (taking.length < 2) continue;
      const rounds = await playRounds(kind, taking, { load, settings, staysAwake: !server });
      results.push({ kind, variants: compare(rounds), rounds });
    }
    return { results, roundTrips, words: words.filter(Boolean) };
  } finally {
    await Promise.all(contestants.map(contestant => contestant.server.stop()));
  }
}

const takesForgeries = (framework, name, kinds) =>
  remembers(name) && kinds.includes('forged') && takesPart(framework, name, 'forged');

const leftOut = (framework, names, kind) =>
  names
    .filter(name => inability(framework, name, kind))
    .map(name => `${name} is left out of ${kind}: ${inability(framework, name, kind)}.`);

/** @param circumstances the load, the settings, and whether the load has its core to itself */
async function playRounds(kind, contestants, circumstances) {
  const { settings } = circumstances;
  const { seconds } = settings;
  for (const contestant of contestants) await playRound(contestant, kind, { ...circumstances, seconds });

  const rounds = [];
  for (let number = 0; number < settings.rounds; number++) {
    const round = {};
    for (const contestant of contestants) round[contestant.name] = null;
    // Another one begins each time: nobody always comes after the same neighbour.
    for (const contestant of rotated(contestants, number)) {
      round[contestant.name] = await playRound(contestant, kind, { ...circumstances, seconds });
    }
    rounds.push(round);
    if (process.stderr.isTTY) process.stderr.write(`\r${kind}: round ${number + 1} of ${settings.rounds} `);
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return rounds;
}

function rotated(list, by) {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}
