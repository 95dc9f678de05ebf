// Where the CPU time of one variant goes: `node bench/profile.mjs --framework express --variant madeleine
// --kind read`. The .cpuprofile stays in bench/results/, for the browser's developer tools.
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Child, choosePlaces } from './child.mjs';
import { playRound, startContestant } from './contestant.mjs';
import { SHAPES } from './data.mjs';
import { hotSpots } from './hot-spots.mjs';
import { KINDS } from './kinds.mjs';
import { known, positive } from './settings.mjs';
import { startStore, storeOf } from './stores.mjs';
import { CONTENDERS, takesPart } from './variants.mjs';

const WARM_UP = 2;

function readFlags() {
  const text = value => ({ type: 'string', default: value });
  const { values } = parseArgs({
    options: {
      framework: text('express'),
      variant: text('madeleine'),
      kind: text('read'),
      seconds: text('6'),
      top: text('20'),
      data: text('objects'),
    },
  });
  known('framework', [values.framework], CONTENDERS);
  known('variant', [values.variant], CONTENDERS[values.framework]);
  known('kind', [values.kind], KINDS);
  known('data', [values.data], SHAPES);
  if (!takesPart(values.framework, values.variant, values.kind)) {
    throw new Error(`${values.variant} does not take part in ${values.kind}.`);
  }
  return {
    ...values,
    seconds: positive('seconds', values.seconds, Number.isFinite),
    top: positive('top', values.top, Number.isInteger),
  };
}

async function main() {
  const { framework, variant, kind, seconds, top, data } = readFlags();
  const folder = path.join(import.meta.dirname, 'results');
  const file = `${framework}-${variant.replace('/', '-')}-${kind}.cpuprofile`;
  mkdirSync(folder, { recursive: true });

  const settings = { data, sessions: 256, connections: 16 };
  const places = choosePlaces();
  const flags = ['--cpu-prof', '--cpu-prof-interval=200', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${file}`];
  const load = new Child('load', 'load.mjs', { core: places.load });
  const store = storeOf(variant);
  const storeServer = store && (await startStore(store));
  let contestant = null;
  let round;
  try {
    const url = await storeServer?.createDatabase();
    contestant = await startContestant(framework, variant, { settings, core: places.server, flags, url });
    if (!contestant) throw new Error('there is nothing to profile.');
    await playRound(contestant, kind, { load, settings, staysAwake: !store, seconds: WARM_UP });
    round = await playRound(contestant, kind, { load, settings, staysAwake: !store, seconds });
  } finally {
    // The profile is written as the server ends.
    await Promise.all([load.stop(), contestant?.server.stop()]);
    await storeServer?.stop();
  }

  const profile = JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
  const { functions, packages } = hotSpots(profile, seconds);
  const cpu = round.cpuPerRequest;
  console.log(
    `${framework}, ${variant}, ${kind}: ${cpu.toFixed(1)} µs of CPU time per request, under the profiler. Self time:\n`,
  );
  for (const { name, part } of functions.slice(0, top)) console.log(line(part, cpu, name));
  console.log('\nBy package:\n');
  for (const { name, part } of packages.slice(0, top)) console.log(line(part, cpu, name));
  console.log(`\n${path.relative(process.cwd(), path.join(folder, file))}`);
}

function line(part, cpu, name) {
  return `${(100 * part).toFixed(1).padStart(6)} %  ${(part * cpu).toFixed(1).padStart(6)} µs  ${name}`;
}

main().catch(error => {
  console.error(`The profile was stopped: ${error.message}`);
  process.exitCode = 1;
});
