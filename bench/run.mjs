// `npm run bench`: what a session costs. The same small application without sessions (bare), with ours and with what people
// use otherwise, each in a process of its own, takes turns under the same load; everything is told as a ratio to bare.
import { chart } from './chart.mjs';
import { Child, choosePlaces } from './child.mjs';
import { measureCookies } from './cookies.mjs';
import { markdown } from './markdown.mjs';
import { playMatch } from './match.mjs';
import { aligned, beside, caveats, describe, loadWords, machine, rowsOf } from './report.mjs';
import { save } from './save.mjs';
import { readSettings } from './settings.mjs';
import { startStore, variantsOf } from './stores.mjs';

async function main() {
  const settings = readSettings();
  const computer = machine();
  const places = choosePlaces();
  const heading = [describe(computer, places, settings), ...(settings.cookies ? [] : [loadWords(settings)])];
  console.log(`${heading.join('\n')}\n`);

  const groups = [];
  const finish = group => {
    groups.push(group);
    console.log(`${group.title}:\n\n${aligned(group.rows)}\n\n${group.words.join('\n')}\n`);
  };
  if (settings.cookies) finish(await measureCookies(settings));
  else await playMatches(settings, places, finish);

  if (settings.json)
    save(settings.json, `${JSON.stringify({ machine: computer, settings, places, groups }, null, 2)}\n`);
  if (settings.markdown) save(settings.markdown, markdown(heading, groups));
  if (settings.chart) save(settings.chart, chart(heading[0], groups));
}

async function playMatches(settings, places, finish) {
  const load = new Child('load', 'load.mjs', { core: places.load });
  try {
    if (settings.stores.length === 0) {
      for (const framework of settings.frameworks) {
        const names = settings.variants[framework];
        finish(groupOf(framework, await playMatch(framework, names, { load, settings, places })));
      }
    }
    for (const store of settings.stores) {
      const names = variantsOf(store);
      const server = await startStore(store);
      try {
        finish(groupOf(store, await playMatch('express', names, { load, settings, places, server })));
      } finally {
        await server.stop();
      }
    }
  } finally {
    await load.stop();
  }
}

const groupOf = (title, { results, roundTrips, words }) => ({
  ...{ title, results, roundTrips },
  rows: rowsOf(results, roundTrips),
  words: [...words, ...caveats(results), ...beside(results)],
});

main().catch(error => {
  console.error(`\nThe bench was stopped: ${error.message}`);
  process.exitCode = 1;
});
