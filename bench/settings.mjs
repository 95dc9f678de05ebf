// What the command line says, checked before anything starts.
import { parseArgs } from 'node:util';
import { SHAPES } from './data.mjs';
import { KINDS } from './kinds.mjs';
import { STORES, storeOf } from './stores.mjs';
import { VARIANTS } from './variants.mjs';

const withoutServer = Object.keys(VARIANTS).filter(name => !storeOf(name));

const HELP = `npm run bench -- [flags]

  --kinds ${Object.keys(KINDS).join(',')}
  --variants bare,madeleine,express-session   (known: ${withoutServer.join(', ')})
  --stores ${STORES.join(',')}   instead of variants: ours and express-session on each of these servers
  --rounds 7          measured rounds of each variant and kind, after one to warm up
  --seconds 2         length of a round
  --connections 16    kept alive, one request under way on each
  --sessions 256      sessions that the requests take turns with
  --data objects      what 1 KB of session data looks like: ${Object.keys(SHAPES).join(' or ')}
  --json FILE         writes every figure of every round`;

const FLAGS = {
  kinds: { type: 'string', default: Object.keys(KINDS).join(',') },
  variants: { type: 'string', default: 'bare,madeleine,express-session' },
  stores: { type: 'string' },
  rounds: { type: 'string', default: '7' },
  seconds: { type: 'string', default: '2' },
  connections: { type: 'string', default: '16' },
  sessions: { type: 'string', default: '256' },
  data: { type: 'string', default: 'objects' },
  json: { type: 'string' },
  help: { type: 'boolean', default: false },
};

export function readSettings() {
  const { values } = parseArgs({ options: FLAGS });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const settings = {
    kinds: known('kinds', values.kinds.split(','), KINDS),
    variants: known('variants', values.variants.split(','), Object.fromEntries(withoutServer.map(n => [n, n]))),
    stores:
      values.stores === undefined
        ? []
        : known('stores', values.stores.split(','), Object.fromEntries(STORES.map(s => [s, s]))),
    rounds: positive('rounds', values.rounds, Number.isInteger),
    seconds: positive('seconds', values.seconds, Number.isFinite),
    connections: positive('connections', values.connections, Number.isInteger),
    sessions: positive('sessions', values.sessions, Number.isInteger),
    data: known('data', [values.data], SHAPES)[0],
    json: values.json,
  };
  if (settings.variants[0] !== 'bare') {
    settings.variants = ['bare', ...settings.variants.filter(name => name !== 'bare')];
  }
  if (settings.sessions < settings.connections) {
    throw new Error(
      '--sessions must be at least --connections: two requests of one session at once prove nothing here.',
    );
  }
  return settings;
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
