// A life with everything that can happen to sessions, over real HTTP: the events that tell of it (J6), and what none of them, no
// error, warning or inspected object gives away (J1, D4).
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import express from 'express';
import type { SessionEvents } from 'madeleine';
import { session } from 'madeleine/express';
import { memoryStore } from 'madeleine/memory';
import { createTestClock, faultStore } from 'madeleine/testing';
import { Client } from '../support/client.ts';
import { gateway } from '../support/gateway.ts';
import { serve } from '../support/serve.ts';

const EVENTS: ReadonlyArray<keyof SessionEvents> = [
  ...(['created', 'renewed', 'ended', 'expired', 'unknown', 'forged', 'duplicate'] as const),
  ...(['poison', 'reused', 'dropped', 'unavailable', 'failed'] as const),
];
const SECRET = 'canary-secret-of-more-than-thirty-two-bytes';
const DATA = 'canary-data';

/** Serves an application over a store that can fail, leads it through everything, and gives the answers that it gave. */
async function live(listen: (name: keyof SessionEvents, event: unknown) => unknown) {
  const clock = createTestClock();
  // It knows no time: what has expired is found.
  const records = memoryStore({ clock: () => 0 });
  const store = faultStore(records);
  const remember = session({ secret: SECRET, store, clock, onStoreError: 'anonymous' });
  for (const name of EVENTS) remember.sessions.on(name, event => void listen(name, event));
  const shown: unknown[] = [remember, remember.sessions];
  const app = express();
  app.use(remember);
  app.get('/put', (req, res) => {
    req.session['card'] = DATA;
    res.json('put');
  });
  app.get('/login', async (req, res) => {
    await req.session.login('ada');
    res.json(req.session.about.userId);
  });
  app.get('/logout', async (req, res) => void res.json((await req.session.logout()) ?? 'ended'));
  app.get('/rotate', async (req, res) => void res.json((await req.session.rotate()) ?? 'rotated'));
  app.get('/data', (req, res) => {
    shown.push(req.session.about, String(req.session));
    res.json({ ...req.session });
  });
  const [reached, loggedOut] = [gateway(), gateway()];
  app.get('/slow', async (req, res) => {
    reached.open();
    await loggedOut.opened;
    req.session['card'] = `${DATA} again`;
    res.json('late');
  });
  app.get('/after', async (req, res) => {
    res.json('answered');
    req.session['card'] = `${DATA} after`;
  });
  const served = await serve(app);
  const answers: unknown[] = [];
  const cookies = new Set<string>();
  const visit = async (client: Client, path: string): Promise<void> => {
    const before = client.jar.get('session');
    answers.push((await client.get(path)).body);
    const cookie = client.jar.get('session');
    if (cookie !== undefined && cookie !== before) cookies.add(cookie);
  };
  const visitor = (cookie?: string): Client => {
    const client = new Client(served.url);
    if (cookie !== undefined) client.jar.set('session', cookie);
    return client;
  };
  const cookieOf = (client: Client): string => client.jar.get('session') as string;
  const keyOf = async (client: Client): Promise<string> => {
    const opened = await remember.sessions.open(`session=${cookieOf(client)}`, { secure: false, device: () => null });
    return opened.session.about.handle as string;
  };

  const ada = visitor();
  await visit(ada, '/put');
  await visit(ada, '/login');
  const rotated = visitor(cookieOf(ada));
  await visit(ada, '/rotate');
  const key = await keyOf(ada);
  const [, id = '', mac = ''] = cookieOf(ada).split('.');
  for (const cookie of [`1.${key}.${mac}`, `1.${id}.${key}`, key, id]) await visit(visitor(cookie), '/data');
  const dump = JSON.stringify(await records.admin.page(null, 100));
  const eve = visitor();
  await visit(eve, '/put');
  const both = { headers: { cookie: `session=${cookieOf(ada)}; session=${cookieOf(eve)}` } };
  answers.push((await visitor().get('/data', both)).body);

  const inFlight = visit(visitor(cookieOf(ada)), '/slow');
  await reached.opened;
  await visit(ada, '/logout');
  loggedOut.open();
  await inFlight;

  const again = visitor();
  await visit(again, '/login');
  const old = visitor(cookieOf(again));
  await visit(again, '/rotate');
  clock.advance('1m');
  await visit(old, '/data');

  const gone = visitor();
  await visit(gone, '/put');
  await records.delete(await keyOf(gone));
  await visit(gone, '/data');

  const poisoned = visitor();
  await visit(poisoned, '/put');
  const poisonKey = await keyOf(poisoned);
  const record = await records.read(poisonKey);
  assert.ok(record);
  const poison = await records.replace(poisonKey, { ...record, data: `{${DATA}` }, record.version);
  assert.equal(poison.ok, true);
  await visit(poisoned, '/data');

  store.plan(({ operation }) => (operation === 'read' ? { kind: 'fail' } : null));
  await visit(eve, '/data');
  store.plan(({ operation }) => (operation === 'replace' ? { kind: 'fail' } : null));
  await visit(eve, '/after');
  store.plan(() => null);
  clock.advance('30d');
  await visit(eve, '/data');
  await visit(rotated, '/data');
  await served.close();
  await remember.sessions.close();
  return { answers, cookies, dump, shown };
}

describe('a life with everything that can happen', () => {
  const told: Array<[name: keyof SessionEvents, event: unknown]> = [];
  const warnings: Error[] = [];
  const keep = (warning: Error) => warnings.push(warning);
  let life: Awaited<ReturnType<typeof live>>;
  before(async () => {
    process.on('warning', keep);
    life = await live((name, event) => told.push([name, event]));
  });
  after(() => process.removeListener('warning', keep));

  it('J6 each kind of event is told', () => {
    assert.deepEqual(new Set(told.map(([name]) => name)), new Set(EVENTS));
  });

  it('J6 a listener that throws changes no answer', async () => {
    const { answers } = await live(() => {
      throw new Error('a listener');
    });
    assert.deepEqual(answers, life.answers);
  });

  it('J1 no event, warning or object shows an id, a key, a signature, the secret or data', () => {
    const events = told.map(([, event]) => event);
    const canaries = [SECRET, DATA];
    for (const cookie of life.cookies) canaries.push(...cookie.split('.').filter(part => part.length > 1));
    for (const part of JSON.stringify(life.dump).matchAll(/[\w-]{43}/g)) canaries.push(part[0]);
    assert.ok(canaries.length > 20);
    const text = [...events, ...warnings, ...life.shown]
      .flatMap(each => [inspect(each, { depth: 20, showHidden: true }), JSON.stringify(each), String(each)])
      .join('\n');
    assert.ok(text.length > 5_000);
    for (const canary of canaries) assert.ok(!text.includes(canary), canary);
  });

  it('D4 the store holds nothing that opens a session', () => {
    for (const cookie of life.cookies) {
      for (const part of cookie.split('.').filter(part => part.length > 1)) assert.ok(!life.dump.includes(part));
    }
    // What stands there as a cookie, or as a part of one.
    assert.deepEqual(life.answers.slice(3, 7), Array(4).fill('{}'));
  });
});
