/** A store that misbehaves by a plan, around any store that does not: to see what an application does then. */
import { type Duration, toMilliseconds } from '../duration.ts';
import type { SessionStore } from '../session/store.ts';

export type StoreOperation = 'read' | 'create' | 'replace' | 'touch' | 'delete';

/** What goes wrong with one call. */
export type Fault =
  /** Nothing is done, and the call fails. */
  | { kind: 'fail'; error?: Error }
  /** It is done, but the answer is lost: the call fails, as when a connection drops at the wrong moment. */
  | { kind: 'drop' }
  /** Nothing is done, and no answer ever comes. */
  | { kind: 'hang' }
  /** It is done and answered after this time. */
  | { kind: 'delay'; time: Duration }
  /** It is done at once and answered after this time. */
  | { kind: 'late'; time: Duration }
  /** It is done twice, as by a driver that sends a command again; the second answer counts. */
  | { kind: 'twice' };

export interface StoreCall {
  operation: StoreOperation;
  key: string;
  /** How many calls of this operation came before. */
  index: number;
}

export interface FaultStore extends SessionStore {
  /** Every call so far, in order. */
  readonly calls: readonly StoreCall[];
  /** Changes the plan. */
  plan(plan: FaultPlan): void;
}

/** Says what goes wrong with a call; `null` or nothing: it goes through as it is. */
export type FaultPlan = (call: StoreCall) => Fault | null | undefined;

export function faultStore(store: SessionStore, plan: FaultPlan = () => null): FaultStore {
  const calls: StoreCall[] = [];
  const counts = new Map<StoreOperation, number>();
  let current = plan;

  function run<T>(operation: StoreOperation, key: string, call: () => T): T {
    const index = counts.get(operation) ?? 0;
    counts.set(operation, index + 1);
    const made = { operation, key, index };
    calls.push(made);
    const fault = current(made);
    return fault ? (misbehave(fault, operation, call) as T) : call();
  }

  return {
    calls,
    plan(next) {
      current = next;
    },
    read: key => run('read', key, () => store.read(key)),
    create: (key, record) => run('create', key, () => store.create(key, record)),
    replace: (key, record, expected) => run('replace', key, () => store.replace(key, record, expected)),
    touch: (key, lastSeenAt, expiresAt) => run('touch', key, () => store.touch(key, lastSeenAt, expiresAt)),
    delete: key => run('delete', key, () => store.delete(key)),
    ...(store.admin ? { admin: store.admin } : {}),
    close: () => store.close?.(),
  };
}

async function misbehave(fault: Fault, operation: StoreOperation, call: () => unknown): Promise<unknown> {
  switch (fault.kind) {
    case 'fail':
      throw fault.error ?? new Error(`fault: ${operation} failed`);
    case 'drop':
      await call();
      throw new Error(`fault: the answer to ${operation} was lost`);
    case 'hang':
      return new Promise(() => {});
    case 'delay':
      await wait(fault.time);
      return call();
    case 'late': {
      const answer = await call();
      await wait(fault.time);
      return answer;
    }
    case 'twice':
      await call();
      return call();
  }
}

function wait(time: Duration): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, toMilliseconds(time, 'time')));
}
