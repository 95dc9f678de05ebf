// What the requests on one session found in it, held against what was written. Pure.
import type { Entry, Seen } from './history.ts';
import type { Fact } from './lives.ts';
import type { Report } from './verdict.ts';

/** What one request found. */
export interface Look {
  entry: Entry;
  seen: Seen;
}

/** The list, to which is appended and from which is removed: both happen, whatever happens beside it. */
export function checkCart(facts: readonly Fact[], looks: readonly Look[], report: Report): void {
  const cartOf = ({ seen }: Look) => (seen.data['cart'] ?? []) as string[];
  const about = (kind: string, value: string) =>
    facts.filter(
      ({ entry: { operation } }) => operation.kind === kind && 'value' in operation && operation.value === value,
    );
  const values = facts.flatMap(({ entry: { operation } }) => (operation.kind === 'append' ? [operation.value] : []));

  for (const value of values) {
    const [append] = about('append', value) as [Fact];
    const removals = about('remove', value);
    const removing = Math.min(...removals.map(({ entry }) => entry.began));
    const present = (look: Look) => cartOf(look).includes(value);
    if (append.owed) {
      const owed = looks.filter(({ entry }) => append.done < entry.began && entry.ended < removing);
      demand(append, `"${value}" is not in the cart`, owed, present, report);
    }
    for (const removal of removals.filter(one => one.owed && append.done < one.entry.began)) {
      const owed = looks.filter(({ entry }) => removal.done < entry.began);
      demand(removal, `"${value}" is still in the cart`, owed, look => !present(look), report);
    }
  }
  for (const look of looks) {
    const cart = cartOf(look);
    for (const value of cart) expectWriter(`"${value}" in the cart`, about('append', value)[0], look, report);
    if (new Set(cart).size < cart.length) report('wrong data', 'something is in the cart twice', look.entry);
  }
}

/** The keys that are set and deleted: what is found may not be older than what was there for certain. */
export function checkKeys(facts: readonly Fact[], looks: readonly Look[], report: Report): void {
  const written = facts.flatMap(({ entry: { operation } }) => ('key' in operation ? [operation.key] : []));
  const found = looks.flatMap(({ seen }) => Object.keys(seen.data));
  for (const key of new Set([...written, ...found])) {
    if (key === 'cart' || key === 'visits') continue;
    const own = facts.filter(({ entry: { operation } }) => 'key' in operation && operation.key === key);
    checkKey(key, own, looks, report);
  }
}

/** To be deleted is to be set to nothing. At first there is nothing too. */
function checkKey(key: string, facts: readonly Fact[], looks: readonly Look[], report: Report): void {
  const valueIn = ({ entry }: Fact) => (entry.operation.kind === 'set' ? entry.operation.value : undefined);
  const found = new Map<Entry, { value: unknown; lastWritten: number }>();
  for (const look of looks) {
    const value = look.seen.data[key];
    const writers = facts.filter(fact => valueIn(fact) === value && fact.entry.began < look.entry.ended);
    // The latest moment at which what was found may have been written.
    const lastWritten = Math.max(Number.NEGATIVE_INFINITY, ...writers.map(({ done }) => done));
    found.set(look.entry, { value, lastWritten });
    if (value !== undefined) {
      expectWriter(
        `"${value}" as "${key}"`,
        facts.find(fact => valueIn(fact) === value),
        look,
        report,
      );
    }
  }
  for (const fact of facts.filter(({ owed }) => owed)) {
    const value = valueIn(fact);
    const owed = looks.filter(({ entry }) => fact.done < entry.began);
    const fresh = ({ entry }: Look) => {
      const there = found.get(entry);
      return there?.value === value || (there?.lastWritten ?? 0) > fact.entry.began;
    };
    const what = value === undefined ? `"${key}" is still there` : `"${key}" is neither "${value}" nor newer`;
    demand(fact, what, owed, fresh, report);
  }
}

/** The counter: never less than what was acknowledged, never more than what was asked for, and no number told twice. */
export function checkVisits(
  facts: readonly Fact[],
  writes: readonly Entry[],
  looks: readonly Look[],
  report: Report,
): void {
  const increments = facts.filter(({ entry }) => entry.operation.kind === 'increment');
  const told = writes.filter(({ count }) => count !== undefined);
  const counts = [
    ...looks.map(({ entry, seen }) => ({ entry, count: Number(seen.data['visits'] ?? 0) })),
    // What an increment was told, it had found one less.
    ...told.map(entry => ({ entry, count: (entry.count as number) - 1 })),
  ].sort((a, b) => a.entry.began - b.entry.began);

  const owedTo = (entry: Entry) => increments.filter(fact => fact.owed && fact.done < entry.began);
  const low = counts.filter(({ entry, count }) => count < owedTo(entry).length);
  const [first] = low;
  if (first) {
    const owed = owedTo(first.entry);
    const kind = low.at(-1) === counts.at(-1) ? 'lost write' : 'missed own write';
    report(
      kind,
      `${first.count} visits where ${owed.length} were counted`,
      ...owed.map(({ entry }) => entry),
      first.entry,
    );
  }
  for (const { entry, count } of counts) {
    const most = increments.filter(fact => fact.entry !== entry && fact.entry.began < entry.ended).length;
    if (count > most) report('wrong data', `${count} visits where at most ${most} were asked for`, entry);
  }
  for (const entry of told) {
    const same = told.find(other => other.count === entry.count && other.began < entry.began);
    if (same) report('lost write', `two were told that theirs is visit ${entry.count}`, same, entry);
  }
}

/** All who looked must have found it. Whether it is lost or was only missed is told by who looked last. */
function demand(
  { entry }: Fact,
  what: string,
  looks: readonly Look[],
  isThere: (look: Look) => boolean,
  report: Report,
): void {
  const missed = looks.find(look => !isThere(look));
  const last = looks.at(-1);
  if (missed && last) report(isThere(last) ? 'missed own write' : 'lost write', what, entry, missed.entry);
}

function expectWriter(what: string, writer: Fact | undefined, { entry }: Look, report: Report): void {
  if (!writer) report('wrong data', `nobody wrote ${what} here`, entry);
  else if (writer.entry.began > entry.ended) report('wrong data', `${what} before it was written`, writer.entry, entry);
}
