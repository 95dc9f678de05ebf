import type { SessionStore } from 'madeleine';
import { aroundCalls } from '../../support/around-calls.ts';
import { randomNumbers } from '../../support/random.ts';

/** One process: what it does with a store, call by call. */
export type Process = (store: SessionStore) => Promise<unknown>;

export interface Run {
  /** The stores that all processes share. */
  stores: SessionStore[];
  /** Makes the store of one process out of the shared ones. What it does with them at once is not put in order. */
  connect(...stores: SessionStore[]): Promise<SessionStore>;
  processes: Process[];
  /** Called when a process has come to its end, whatever the others are at. */
  ended?(process: number): Promise<void>;
  /** Called when all have. */
  check(outcomes: unknown[]): Promise<void>;
}

/**
 * Does a run in every order in which the calls of its processes can reach the stores, and says how many orders there were.
 * What a process does between two calls takes no time, so that these are all there are.
 */
export async function everyOrder(prepare: () => Promise<Run>): Promise<number> {
  let orders = 0;
  /** Which of the processes that wait goes next, step by step; and out of how many. */
  let choices: number[] = [];
  for (;;) {
    const taken: Array<[choice: number, of: number]> = [];
    await oneOrder(await prepare(), waiting => {
      const choice = choices[taken.length] ?? 0;
      taken.push([choice, waiting]);
      return choice;
    });
    orders++;
    const last = taken.findLastIndex(([choice, of]) => choice + 1 < of);
    if (last < 0) return orders;
    choices = [...taken.slice(0, last).map(([choice]) => choice), taken[last]![0] + 1];
  }
}

/** The same in so many orders that look random, for runs that have too many. */
export async function someOrders(count: number, prepare: () => Promise<Run>): Promise<void> {
  const random = randomNumbers(1913);
  for (let i = 0; i < count; i++) await oneOrder(await prepare(), random);
}

async function oneOrder(run: Run, choose: (waiting: number) => number): Promise<void> {
  const waiting = new Map<number, () => void>();
  let connected = false;
  const enter = (number: number) =>
    connected ? new Promise<void>(resolve => waiting.set(number, resolve)) : Promise.resolve();
  const connections = await Promise.all(
    run.processes.map((_, number) =>
      run.connect(...run.stores.map(store => aroundCalls(store, call => enter(number).then(call)))),
    ),
  );
  connected = true;
  let running = run.processes.length;
  const outcomes = run.processes.map(async (process, number) => {
    const outcome = await process(connections[number]!);
    running--;
    await run.ended?.(number);
    return outcome;
  });
  const order: number[] = [];
  const steps = async () => {
    for (;;) {
      // Until each process waits or has ended.
      await new Promise(resolve => setImmediate(resolve));
      if (waiting.size === 0) {
        if (running === 0) return;
        throw new Error('the processes wait for each other');
      }
      const [number, go] = [...waiting].sort(([a], [b]) => a - b)[choose(waiting.size)]!;
      waiting.delete(number);
      order.push(number);
      go();
    }
  };
  try {
    await run.check((await Promise.all([Promise.all(outcomes), steps()]))[0]);
  } catch (cause) {
    throw new Error(`in the order ${order.join('')}: ${cause}`, { cause });
  }
}
