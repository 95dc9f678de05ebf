// What the command line says, checked before anything starts.
import { parseArgs } from 'node:util';
import { SHAPES } from './data.mjs';
import { KINDS } from './kinds.mjs';
import { STORES, storeOf } from './stores.mjs';
import { CONTENDERS, defaultsOf, takesPart } from './variants.mjs';

const kindsOf = what => Object.keys(KINDS).filter(kind => KINDS[kind].of === what);
const selectable = framework => Object.keys(CONTENDERS[framework]).filter(name => !storeOf(name));

const HELP = `npm run bench -- [flags]

  --framework express   or several, or all: ${Object.keys(CONTENDERS).join(',')}
  --kinds a,b           all of them, if not said:
${Object.entries(KINDS)
  .map(([kind, { says }]) => `      ${kind.padEnd(8)} ${says}`)
  .join('\n')}
  --variants a,b        beside bare, of one framework. The first ones are taken if not said:
${Object.keys(CONTENDERS)
  .map(name => `      ${name.padEnd(8)} ${inOrder(name).join(', ')}`)
  .join('\n')}
  --stores ${STORES.join(',')}   instead of variants: ours and express-session on each of these servers
  --cookies             instead of servers: parse, serialize, sign and unsign in one process, see cookies.mjs
  --rounds 7            measured rounds of each variant and kind, after one to warm up
  --seconds 2           length of a round
  --connections 16      kept alive, one request under way on each
  --sessions 256        sessions that the requests take turns with
  --data objects        what session data looks like: ${Object.keys(SHAPES).join(' or ')}
  --json FILE           writes every figure of every round
  --markdown FILE       writes the tables
  --chart FILE          draws them (SVG)`;

const FLAGS = {
  framework: { type: 'string', default: 'express' },
  kinds: { type: 'string' },
  variants: { type: 'string' },
  stores: { type: 'string' },
  cookies: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '7' },
  seconds: { type: 'string', default: '2' },
  connections: { type: 'string', default: '16' },
  sessions: { type: 'string', default: '256' },
  data: { type: 'string', default: 'objects' },
  json: { type: 'string' },
  markdown: { type: 'string' },
  chart: { type: 'string' },
  help: { type: 'boolean', default: false },
};

export function readSettings() {
  const { values } = parseArgs({ options: FLAGS });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const frameworks = values.framework === 'all' ? Object.keys(CONTENDERS) : values.framework.split(',');
  const settings = {
    frameworks: known('framework', frameworks, CONTENDERS),
    stores: known('stores', values.stores?.split(',') ?? [], Object.fromEntries(STORES.map(name => [name, name]))),
    rounds: positive('rounds', values.rounds, Number.isInteger),
    seconds: positive('seconds', values.seconds, Number.isFinite),
    connections: positive('connections', values.connections, Number.isInteger),
    sessions: positive('sessions', values.sessions, Number.isInteger),
    data: known('data', [values.data], SHAPES)[0],
    ...{ cookies: values.cookies, json: values.json, markdown: values.markdown, chart: values.chart },
  };
  settings.kinds = chosenKinds(settings, values.kinds);
  settings.variants = chosenVariants(settings, values.variants);
  check(settings);
  return settings;
}

/** Cookies alone are a matter of Express, without a store. */
function chosenKinds({ frameworks, stores }, given) {
  if (given !== undefined) return known('kinds', given.split(','), KINDS);
  const alone = frameworks.includes('express') && stores.length === 0;
  return [...kindsOf('sessions'), ...(alone ? kindsOf('cookies') : [])];
}

/** By framework, the bare application first. */
function chosenVariants({ frameworks, stores }, given) {
  if (given !== undefined && (frameworks.length > 1 || stores.length > 0)) {
    throw new Error('--variants belongs to one framework, and to no store.');
  }
  return Object.fromEntries(
    frameworks.map(framework => {
      const table = Object.fromEntries(selectable(framework).map(name => [name, name]));
      const names = given === undefined ? defaultsOf(framework) : known('variants', given.split(','), table);
      return [framework, ['bare', ...names.filter(name => name !== 'bare')]];
    }),
  );
}

function check({ sessions, connections, stores, kinds, variants }) {
  if (sessions < connections) {
    throw new Error(
      '--sessions must be at least --connections: two requests of one session at once prove nothing here.',
    );
  }
  if (stores.length > 0 && kinds.some(kind => KINDS[kind].of === 'cookies')) {
    throw new Error(`--stores: no store has to do with ${kindsOf('cookies').join(' or ')}.`);
  }
  for (const [framework, names] of stores.length > 0 ? [] : Object.entries(variants)) {
    const isEmpty = kind => !names.slice(1).some(name => takesPart(framework, name, kind));
    // Where several frameworks run, cookies alone are measured on one of them.
    if (kinds.every(isEmpty)) throw new Error(`On ${framework}, nobody beside bare takes part in ${kinds.join(', ')}.`);
  }
}

function inOrder(framework) {
  const first = defaultsOf(framework);
  return [
    ...first,
    ...selectable(framework)
      .filter(name => !first.includes(name))
      .map(name => `(${name})`),
  ];
}

export function known(flag, names, table) {
  for (const name of names) {
    if (!Object.hasOwn(table, name)) {
      throw new Error(`--${flag} ${name}: unknown. There are ${Object.keys(table).join(', ')}.`);
    }
  }
  return [...new Set(names)];
}

export function positive(flag, text, isRight) {
  const value = Number(text);
  if (!isRight(value) || value <= 0) throw new Error(`--${flag} ${text}: not a positive number that makes sense.`);
  return value;
}
