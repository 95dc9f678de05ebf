/**
 * The judge: whether a history could have been, had every request been done at one moment between its beginning and its end.
 * Pure. It knows nothing of how two writes are merged, and no more of a session than that
 *
 * - a logout ends it, and a login puts another in its place, which begins with the data of the first (not of another user's);
 * - what ended stays ended, and what did not end is there;
 * - whoever looks after a write was acknowledged finds it, or what was written after it or at the same time.
 *
 * A write whose session ended while it was under way may be dropped, though it was acknowledged: it came before the end, and
 * went with the session. A write that is unknown may be found or not; once somebody has seen it, it was done.
 */
import { checkCart, checkKeys, checkVisits, type Look } from './check-data.ts';
import type { Entry, History, Seen } from './history.ts';
import { certainEnd, doneBy, factsOf, type Life, livesOf } from './lives.ts';
import type { Report, Violation } from './verdict.ts';

/** Everything that cannot have been; nothing when all is well. */
export function check({ entries }: Pick<History, 'entries'>): Violation[] {
  const violations: Violation[] = [];
  const reportOf =
    (life?: Life): Report =>
    (kind, what, ...of) =>
      violations.push({ kind, what, entries: withTurns(of, life) });
  const report = reportOf();

  for (const entry of entries) {
    if (entry.outcome === 'unexpected') report('unexpected answer', entry.problem ?? 'no answer', entry);
    if (entry.id === null) checkKept(entry, report);
  }
  const done = doneBy(entries);
  for (const life of livesOf(entries)) {
    const report = reportOf(life);
    const looks = looksAt(life);
    checkEnd(life, looks, report);
    const facts = factsOf(life, done);
    const alive = looks.filter(({ seen }) => seen.live).sort((a, b) => a.entry.began - b.entry.began);
    for (const { entry, seen } of alive) {
      if (seen.user !== life.user) report('wrong data', `the session of ${life.user} names ${seen.user}`, entry);
    }
    checkCart(facts, alive, report);
    checkKeys(facts, alive, report);
    checkVisits(facts, life.writes, alive, report);
  }
  return violations;
}

/** The entries in their order, and what happened to the session itself meanwhile. */
function withTurns(of: readonly Entry[], life: Life | undefined): Entry[] {
  const from = Math.min(...of.map(({ began }) => began));
  const to = Math.max(...of.map(({ began, ended }) => (Number.isFinite(ended) ? ended : began)));
  const turns = (life?.asked ?? []).filter(entry => isTurn(entry) && entry.began < to && from < entry.ended);
  return [...new Set([...of, ...turns])].sort((a, b) => a.began - b.began);
}

const GONE: Seen = { live: false, user: null, data: {} };

/** What the requests found: what they say they saw, or what their answers give away. */
function looksAt(life: Life): Look[] {
  return life.asked.flatMap(entry => {
    if (entry.seen) return [{ entry, seen: entry.seen }];
    // Who is given another cookie, or none any more, without having asked for it, came with the id of no session.
    return entry.cookie === null || isTurn(entry) ? [] : [{ entry, seen: GONE }];
  });
}

function checkEnd(life: Life, looks: readonly Look[], report: Report): void {
  const gone = looks.filter(({ seen }) => !seen.live).map(({ entry }) => entry);
  const early = gone.find(entry => !life.ends.some(end => end !== entry && end.began < entry.ended));
  if (early) report('session vanished', 'nobody had ended it', early);

  const ends = [...life.ends.filter(end => end.outcome === 'acknowledged'), ...gone];
  const first = ends.reduce<Entry | null>((a, b) => (a && a.ended <= b.ended ? a : b), null);
  const back = looks.find(({ entry, seen }) => seen.live && first !== null && first.ended < entry.began);
  if (first && back) report('ended session came back', 'it is there after it had ended', first, back.entry);

  const endedBy = new Set(life.ends.map(({ operation }) => operation.kind));
  if (endedBy.has('login') && !endedBy.has('logout')) {
    for (const entry of life.asked.filter(one => one.cookie !== null && !isTurn(one))) {
      report('login undone', 'an id that was replaced gets a cookie', ...life.ends, entry);
    }
  }
  // After a logout the old id is a stranger's: who writes with it begins a session. (After a login it may be dropped.)
  if (endedBy.has('logout') && !endedBy.has('login')) {
    const over = Math.max(...life.ends.map(certainEnd));
    for (const entry of life.asked) if (over < entry.began) checkKept(entry, report);
  }
}

/** Whether it changes the session itself, and so its cookie. */
function isTurn({ operation }: Entry): boolean {
  return ['login', 'logout', 'rotate'].includes(operation.kind);
}

/** A write by somebody without a session begins one, or it is nowhere. */
function checkKept(entry: Entry, report: Report): void {
  const { outcome, cookie, operation } = entry;
  if (outcome !== 'acknowledged' || cookie !== null || !['set', 'append', 'increment'].includes(operation.kind)) return;
  report('lost write', 'it was acknowledged, and there is no session for it', entry);
}
