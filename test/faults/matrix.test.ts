// Every fault at every call to the store that a wish makes, once or from then on: what the client is told is true, what it was
// promised before stands, and when the fault is over the very next request works.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { SessionStore } from 'madeleine';
import { memoryStore } from 'madeleine/memory';
import { createTestClock, type Fault, faultStore, type StoreCall } from 'madeleine/testing';
import { aroundCalls } from '../support/around-calls.ts';
import type { Answer } from '../support/client.ts';
import { type ServedRoutes, serveRoutes } from '../support/routes.ts';
import { expectNoUnhandledRejections } from '../support/unhandled.ts';
import { NOBODY, ROUTES, type Shown, WISHES, type Wish } from './wishes.ts';

const TIMEOUT = 100;
/** Of a store that answers, if late: no machine is so slow that this is over first. */
const LONG = 60_000;
const SOON = 10;
const TOO_LATE = 250;

interface Kind {
  fault: Fault;
  /** Whether a call that the client is told has failed may have been done all the same. */
  unsure: boolean;
  /** Whether every wish is granted in spite of it. */
  harmless: boolean;
}

const KINDS: Record<string, Kind> = {
  fail: { fault: { kind: 'fail' }, unsure: false, harmless: false },
  hang: { fault: { kind: 'hang' }, unsure: false, harmless: false },
  drop: { fault: { kind: 'drop' }, unsure: true, harmless: false },
  delay: { fault: { kind: 'delay', time: SOON }, unsure: false, harmless: true },
  'delay beyond the timeout': { fault: { kind: 'delay', time: TOO_LATE }, unsure: true, harmless: false },
  late: { fault: { kind: 'late', time: SOON }, unsure: false, harmless: true },
  'late beyond the timeout': { fault: { kind: 'late', time: TOO_LATE }, unsure: true, harmless: false },
  twice: { fault: { kind: 'twice' }, unsure: false, harmless: true },
};

expectNoUnhandledRejections();

/** An app of its own, with a client that has what the wish begins from. */
async function stage({ as }: Wish, storeTimeout: number) {
  const clock = createTestClock();
  const store = faultStore(memoryStore({ clock }));
  const underWay = new Set<Promise<unknown>>();
  const served = await serveRoutes(ROUTES, { clock, store: watched(store, underWay), storeTimeout });
  const client = served.client();
  if (as !== 'visitor') await client.get('/add/plum');
  if (as === 'ada') await client.get('/login/ada');
  const shown = async (): Promise<Shown> => {
    const answer = await client.get('/data');
    assert.equal(answer.status, 200, answer.body);
    return answer.json<Shown>();
  };
  return { clock, store, served, client, shown, settled: () => Promise.allSettled(underWay) };
}

/** Notes which calls to the store are not answered yet, whether anybody still waits for them or not. */
function watched(store: SessionStore, underWay: Set<Promise<unknown>>): SessionStore {
  const watch = <T>(answer: T): T => {
    if (answer instanceof Promise) {
      const over: Promise<unknown> = answer.then(
        () => underWay.delete(over),
        () => underWay.delete(over),
      );
      underWay.add(over);
    }
    return answer;
  };
  return { ...aroundCalls(store, call => watch(call())), admin: store.admin };
}

/** The calls that the wish makes when nothing goes wrong. */
async function callsOf(wish: Wish): Promise<readonly StoreCall[]> {
  const { store, served, client, shown } = await stage(wish, LONG);
  const from = store.calls.length;
  assert.ok((await client.get(wish.path)).status < 400);
  const calls = store.calls.slice(from);
  assert.deepEqual(await shown(), wish.granted);
  await served.close();
  return calls;
}

const among = (shown: Shown, allowed: readonly Shown[]): boolean => allowed.some(one => isDeepStrictEqual(one, shown));

/** No half of the answer that was to be. */
function checkRefusal(answer: Answer): void {
  assert.equal(answer.status, 503, answer.body);
  assert.deepEqual(answer.setCookies, []);
  assert.equal(answer.headers.location, undefined);
  assert.match(answer.body, /^(\{"code":"ERR_STORE_(FAILED|TIMEOUT)"\}|Service Unavailable\n)$/);
}

async function listed({ remember }: ServedRoutes): Promise<number> {
  const lists = await Promise.all(['ada', 'bob'].map(user => remember.sessions.list(user)));
  return lists.flat().length;
}

async function tryFault(wish: Wish, kind: Kind, at: number, forGood: boolean): Promise<void> {
  const { clock, store, served, client, shown, settled } = await stage(wish, kind.harmless ? LONG : TIMEOUT);
  let calls = -1;
  store.plan(() => {
    calls++;
    return calls === at || (forGood && calls > at) ? kind.fault : null;
  });
  const begun = performance.now();
  const answer = await client.get(wish.path);
  const took = performance.now() - begun;
  store.plan(() => null);

  const granted = answer.status < 400;
  // A call waits for one timeout, and a wish makes a few: far less than this, even on a machine that is busy elsewhere.
  assert.ok(took < 50 * TIMEOUT, `took ${took} ms`);
  if (!granted) checkRefusal(answer);
  if (kind.harmless) assert.ok(granted, answer.body);

  const allowed = granted ? [wish.granted] : [...wish.refused, ...(kind.unsure ? wish.unsure : [])];
  const check = (seen: Shown) =>
    assert.ok(among(seen, allowed), `shows ${JSON.stringify(seen)} after ${answer.status}`);
  check(await shown());
  // What is done to the store late changes nothing that was promised.
  if (kind.fault.kind !== 'hang') await settled();
  const seen = await shown();
  check(seen);
  if (granted) assert.equal(await listed(served), seen.userId === null ? 0 : 1);

  // An id that was given up may not disturb a newer one, so it stores nothing for the grace.
  if (!granted && wish.as !== 'visitor' && isDeepStrictEqual(seen, NOBODY)) clock.advance('10s');
  assert.equal((await client.get('/add/nut')).status, 200);
  const { cart } = await shown();
  assert.deepEqual(cart, [...seen.cart, 'nut']);
  await served.close();
}

for (const [name, kind] of Object.entries(KINDS)) {
  describe(name, { concurrency: 4 }, () => {
    for (const wish of WISHES) {
      it(`${wish.as}: ${wish.path}`, async t => {
        const calls = await callsOf(wish);
        const trials = calls.flatMap((_, at) => [tryNamed(at, false), tryNamed(at, true)]);
        await Promise.all(trials);
        t.diagnostic(`${trials.length} faults at ${calls.map(({ operation }) => operation).join(', ') || 'no call'}`);

        async function tryNamed(at: number, forGood: boolean): Promise<void> {
          try {
            await tryFault(wish, kind, at, forGood);
          } catch (cause) {
            const where = `${calls[at]?.operation}, call ${at + 1}${forGood ? ' and on' : ''}`;
            throw new Error(`${where}: ${(cause as Error).message}`, { cause });
          }
        }
      });
    }
  });
}
