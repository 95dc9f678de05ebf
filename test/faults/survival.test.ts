// Thousands of requests while the store fails, hangs and answers late, and while clients go away: nothing is left of them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Concurrency } from 'madeleine';
import { memoryStore } from 'madeleine/memory';
import { type Fault, faultStore, type StoreCall } from 'madeleine/testing';
import { aroundCalls } from '../support/around-calls.ts';
import type { Client } from '../support/client.ts';
import { serveRoutes } from '../support/routes.ts';
import { expectNoUnhandledRejections } from '../support/unhandled.ts';
import { warningsIn } from '../support/warnings.ts';
import { ROUTES, WISHES } from './wishes.ts';

const TIMEOUT = 10;
const FAULTS: readonly Fault[] = [
  { kind: 'fail' },
  { kind: 'drop' },
  { kind: 'hang' },
  { kind: 'delay', time: TIMEOUT / 2 },
  { kind: 'delay', time: 2 * TIMEOUT },
  { kind: 'late', time: TIMEOUT / 2 },
  { kind: 'late', time: 2 * TIMEOUT },
  { kind: 'twice' },
];
const CLIENTS = 20;
const REQUESTS_OF_EACH = 25;
const ROUNDS = 2;
/**
 * Of what a server remembers on purpose, the ids that it has verified take the most: some 300 bytes for a request. What is left
 * of each of the 2,000 requests may not be much more than that, beside what V8 keeps about the code.
 */
const REMEMBERED = 5_000_000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const paths = WISHES.map(({ path }) => path);
const some = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;
const timers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;

/** Each request, response, session and answer of the store that there was. */
const seen: Array<WeakRef<object>> = [];
function see<T>(thing: T): T {
  if (typeof thing === 'object' && thing !== null) seen.push(new WeakRef(thing));
  return thing;
}

/** How often to look for garbage: V8 itself may hold an object while it compiles, in a thread of its own, what has just used it. */
const LOOKS = 200;

/** What is left once everything that was still to come has come, late answers among it. */
async function whatIsLeft(): Promise<{ heap: number; held: string[]; looks: number }> {
  while (timers() > 0) await new Promise(resolve => setImmediate(resolve));
  const things = seen.splice(0);
  const held = () => things.flatMap(reference => reference.deref()?.constructor.name ?? []);
  let looks = 0;
  do {
    await new Promise(resolve => setImmediate(resolve));
    collectGarbage();
    looks++;
    // Who has been asked for lives on to the end of this turn.
    await new Promise(resolve => setImmediate(resolve));
  } while (held().length > 0 && looks < LOOKS);
  collectGarbage();
  return { heap: process.memoryUsage().heapUsed, held: held(), looks };
}

const routes: typeof ROUTES = Object.fromEntries(
  Object.entries(ROUTES).map(([path, handler]) => [
    path,
    (req, res, next) => {
      for (const thing of [req, res, req.session]) see(thing);
      return handler(req, res, next);
    },
  ]),
);

/** Asks for one thing after another; every tenth time goes away before the answer. */
async function visit(client: Client, statuses: Map<number, number>): Promise<void> {
  for (let turn = 0; turn < REQUESTS_OF_EACH; turn++) {
    const leave = new AbortController();
    if (turn % 10 === 0) setTimeout(() => leave.abort(), Math.random() * 2 * TIMEOUT);
    try {
      const { status } = await client.get(some(paths), { signal: leave.signal });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    } catch {
      // Gone, or a stream that was cut off because its last change could not be saved.
    }
  }
}

describe('what is left after thousands of requests with faults', () => {
  expectNoUnhandledRejections();

  for (const concurrency of ['merge', 'serialize'] satisfies Concurrency[]) {
    it(`concurrency '${concurrency}': no memory, no timer, and the server works`, async context => {
      const warnings = warningsIn(context);

      const store = faultStore(memoryStore({ maxSessions: 200 }));
      const watched = aroundCalls(store, call => see(call()));
      const served = await serveRoutes(routes, { store: watched, storeTimeout: TIMEOUT, concurrency });
      context.after(served.close);
      const clients = Array.from({ length: CLIENTS }, () => served.client());
      const statuses = new Map<number, number>();
      /** Each session has several requests at once. */
      const round = () =>
        Promise.all(clients.flatMap(client => [visit(client.tab(), statuses), visit(client, statuses)]));
      const rounds = async (count: number) => {
        store.plan(() => (Math.random() < 0.15 ? some(FAULTS) : null));
        for (let i = 0; i < count; i++) await round();
        store.plan(() => null);
        (store.calls as StoreCall[]).length = 0;
        return whatIsLeft();
      };
      const before = await rounds(1);
      const afterwards = await rounds(ROUNDS);
      context.diagnostic(
        `answers by status: ${JSON.stringify([...statuses])}; heap grew by ${afterwards.heap - before.heap}; ` +
          `collected after ${before.looks} and ${afterwards.looks} looks`,
      );
      assert.deepEqual(afterwards.held, []);
      assert.ok(afterwards.heap - before.heap < REMEMBERED);

      const client = served.client();
      await client.get('/add/plum');
      assert.deepEqual((await client.get('/data')).json(), { cart: ['plum'], visits: 0, userId: null });
      await served.close();
      assert.equal(timers(), 0);
      assert.deepEqual(warnings, []);
    });
  }
});
