// `npm run bench`: what a session costs. The same small Express application without sessions (bare), with ours and with
// express-session, each in a process of its own, takes turns under the same load; everything is told as a ratio to bare.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Child, choosePlaces } from './child.mjs';
import { playRound, startContestant } from './contestant.mjs';
import { beside, caveats, describe, machine, table } from './report.mjs';
import { countRoundTrips } from './round-trips.mjs';
import { readSettings } from './settings.mjs';
import { compare } from './statistics.mjs';
import { startStore, storeOf, variantsOf } from './stores.mjs';

async function main() {
  const settings = readSettings();
  const places = choosePlaces();
  const computer = machine();
  console.log(`${describe(computer, settings, places)}\n`);

  const load = new Child('load', 'load.mjs', { core: places.load });
  const all = [];
  try {
    if (settings.stores.length === 0) all.push(await compareVariants(settings.variants, { load, settings, places }));
    for (const store of settings.stores) {
      console.log(`${store}:\n`);
      const server = await startStore(store);
      try {
        all.push({ store, ...(await compareVariants(variantsOf(store), { load, settings, places, server })) });
      } finally {
        await server.stop();
      }
    }
    if (settings.json) save(settings.json, { machine: computer, settings, places, all });
  } finally {
    await load.stop();
  }
}

async function compareVariants(names, { load, settings, places, server }) {
  const contestants = [];
  const roundTrips = {};
  try {
    for (const name of names) {
      const url = storeOf(name) && (await server.createDatabase());
      if (url) roundTrips[name] = await countRoundTrips(name, { settings, url });
      const contestant = await startContestant(name, { settings, core: places.server, url });
      if (contestant) contestants.push(contestant);
    }
    const results = [];
    for (const kind of settings.kinds) {
      const rounds = await playRounds(kind, contestants, { load, settings });
      results.push({ kind, variants: compare(rounds), rounds });
    }
    console.log(`${table(results, roundTrips)}\n\n${caveats(results)}`);
    if (server) console.log(`${beside(results, names[1], names[2])}\n`);
    return { results, roundTrips };
  } finally {
    await Promise.all(contestants.map(contestant => contestant.server.stop()));
  }
}

async function playRounds(kind, contestants, { load, settings }) {
  for (const contestant of contestants)
    await playRound(contestant, kind, { load, settings, seconds: settings.seconds });

  const rounds = [];
  for (let number = 0; number < settings.rounds; number++) {
    const round = {};
    for (const contestant of contestants) round[contestant.name] = null;
    // Another one begins each time: nobody always comes after the same neighbour.
    for (const contestant of rotated(contestants, number)) {
      round[contestant.name] = await playRound(contestant, kind, { load, settings, seconds: settings.seconds });
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

function save(file, everything) {
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  writeFileSync(file, `${JSON.stringify(everything, null, 2)}\n`);
}

main().catch(error => {
  console.error(`\nThe bench was stopped: ${error.message}`);
  process.exitCode = 1;
});
