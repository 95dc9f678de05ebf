// Which sessions there were, as far as the clients can know, and what may be found in each. Pure.
import type { Entry } from './history.ts';

/** One session: all the ids that led to it, one after the other. */
export interface Life {
  readonly user: string | null;
  /** The login that began it, and the session that it was asked of. */
  readonly parent: { readonly life: Life; readonly login: Entry } | null;
  /** Everything asked with one of its ids. */
  readonly asked: Entry[];
  /** What was written into it, or may have been. */
  readonly writes: Entry[];
  /** What ended it, or may have: a logout, and a login too, which puts another session in its place. */
  readonly ends: Entry[];
}

/** A write, as far as it concerns one session. */
export interface Fact {
  entry: Entry;
  /** Where it stands among beginnings and ends when it is done for certain; Infinity where that is never known. */
  done: number;
  /** Whether it must be found once it is done. What was written at the moment of a login may or may not have gone along. */
  owed: boolean;
}

const WRITES = ['set', 'delete', 'append', 'remove', 'increment'];

/** The sessions of a history, in the order in which clients learned of them. */
export function livesOf(entries: readonly Entry[]): Life[] {
  const lives = new Map<string, Life>();
  // An id is used only after the answer that gave it: in the order of the answers, every id is known when it turns up.
  for (const entry of [...entries].sort((a, b) => (a.ended === b.ended ? a.began - b.began : a.ended - b.ended))) {
    const { operation, id, cookie, outcome } = entry;
    const life = id === null ? undefined : lives.get(id);
    life?.asked.push(entry);
    if (outcome === 'refused') continue;
    let target = life;
    if (cookie !== null && cookie !== 'cleared' && !lives.has(cookie.id)) {
      if (operation.kind !== 'rotate') target = begin(entry, life);
      if (target) lives.set(cookie.id, target);
    }
    if (operation.kind === 'logout' || operation.kind === 'login') life?.ends.push(entry);
    if (WRITES.includes(operation.kind)) target?.writes.push(entry);
  }
  return [...new Set(lives.values())];
}

function begin(entry: Entry, before: Life | undefined): Life {
  const { operation } = entry;
  const login = operation.kind === 'login';
  const parent = login && before ? { life: before, login: entry } : null;
  return { user: login ? operation.user : null, parent, asked: [], writes: [], ends: [] };
}

/** When this had ended the session for certain; Infinity where it may not have. */
export function certainEnd(end: Entry): number {
  return end.outcome === 'acknowledged' ? end.ended : Number.POSITIVE_INFINITY;
}

/** When each write is known to be done: when its client was told, or when somebody saw it, whichever came first. */
export function doneBy(entries: readonly Entry[]): (entry: Entry) => number {
  const seen = new Map<unknown, number>();
  for (const { seen: found, ended } of entries) {
    const { cart = [], ...rest } = found?.data ?? {};
    for (const value of [...(cart as string[]), ...Object.values(rest)]) {
      seen.set(value, Math.min(ended, seen.get(value) ?? Number.POSITIVE_INFINITY));
    }
  }
  return ({ operation, outcome, ended }) => {
    const told = outcome === 'acknowledged' ? ended : Number.POSITIVE_INFINITY;
    const value = operation.kind === 'set' || operation.kind === 'append' ? operation.value : null;
    return Math.min(told, seen.get(value) ?? Number.POSITIVE_INFINITY);
  };
}

/** Every write that may be found in this session: its own, and what it began with. */
export function factsOf(life: Life, done: (entry: Entry) => number): Fact[] {
  const own = life.writes.map(entry => ({ entry, done: done(entry), owed: true }));
  if (life.parent === null) return own;
  const { life: before, login } = life.parent;
  const foreign = before.user !== null && before.user !== life.user;
  if (foreign || before.ends.some(end => certainEnd(end) < login.began)) return own;
  // Ended by somebody else at the same time: then there may have been nothing left to take along.
  const alone = before.ends.every(end => end === login || end.began > login.ended);
  // Whoever still saw the session before was there before the login, and so was what had been done by then.
  const latest = Math.max(login.began, ...before.asked.filter(({ seen }) => seen?.live).map(({ began }) => began));
  const carried = factsOf(before, done)
    .filter(({ entry }) => entry.began < login.ended)
    .map(fact => ({ ...fact, owed: fact.owed && alone && fact.done < latest }));
  return [...carried, ...own];
}
