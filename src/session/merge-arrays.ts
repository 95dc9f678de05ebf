/**
 * The three-way merge of arrays. Each side is laid against `base`: which elements stayed, which were edited in place, which
 * went, and what was put in where. Then both sides' edits are played together, theirs before mine at the same place.
 */
import { isJsonObject, type JsonValue } from '../json.ts';

type MergeElement = (base: JsonValue, mine: JsonValue, theirs: JsonValue) => JsonValue;

/** An element, or none: it went. */
type Slot = JsonValue | undefined;

/** One side, seen from `base`. */
interface Alignment {
  /** For each element of `base` what became of it. */
  became: Slot[];
  /** What was put in before the element of this index; the last place is the end. */
  inserted: Slot[][];
}

export function mergeArrays(
  base: JsonValue[],
  mine: JsonValue[],
  theirs: JsonValue[],
  merge: MergeElement,
): JsonValue[] {
  const texts = base.map(text);
  const [ours, others] = [align(base, texts, mine), align(base, texts, theirs)];
  joinMoves(base, texts, ours, others, merge);
  forgetMovesOfBoth(texts, ours, others);
  const merged: JsonValue[] = [];
  for (let i = 0; i <= base.length; i++) {
    for (const { inserted } of [others, ours]) {
      for (const element of inserted[i] as Slot[]) if (element !== undefined) merged.push(element);
    }
    if (i === base.length) break;
    const [b, m, t] = [base[i] as JsonValue, ours.became[i], others.became[i]];
    if (m !== undefined && t !== undefined) merged.push(merge(b, m, t));
    else if (m !== undefined && text(m) !== texts[i])
      merged.push(m); // edited here, removed there: the edit stands
    else if (t !== undefined && text(t) !== texts[i]) merged.push(t);
  }
  return merged;
}

/**
 * Equal elements are found by their text, in order, each once: what is the same at both ends first, then the rest. Between two
 * that were found, as many new elements as missing ones of the same kind are edits in place; otherwise they came and went.
 */
function align(base: JsonValue[], texts: string[], side: JsonValue[]): Alignment {
  const became: Slot[] = new Array(base.length).fill(undefined);
  const inserted: Slot[][] = Array.from({ length: base.length + 1 }, () => []);
  const sideTexts = side.map(text);
  let start = 0;
  while (start < base.length && start < side.length && texts[start] === sideTexts[start]) {
    became[start] = side[start];
    start++;
  }
  let tail = 0;
  const room = Math.min(base.length, side.length) - start;
  while (tail < room && texts[base.length - 1 - tail] === sideTexts[side.length - 1 - tail]) {
    became[base.length - 1 - tail] = side[side.length - 1 - tail];
    tail++;
  }

  const baseEnd = base.length - tail;
  const sideEnd = side.length - tail;
  const places = placesOf(texts, start, baseEnd);
  let [baseFrom, sideFrom] = [start, start];
  for (let at = start; at <= sideEnd; at++) {
    const found = at === sideEnd ? baseEnd : nextPlace(places.get(sideTexts[at] as string), baseFrom);
    if (found === undefined) continue;
    settleGap(base, baseFrom, found, side.slice(sideFrom, at), { became, inserted });
    if (at < sideEnd) became[found] = side[at];
    baseFrom = found + 1;
    sideFrom = at + 1;
  }
  return { became, inserted };
}

/** Where each text stands in this part of `base`, last place first, so that the next one can be popped. */
function placesOf(texts: string[], from: number, to: number): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (let i = to - 1; i >= from; i--) {
    const list = places.get(texts[i] as string);
    if (list) list.push(i);
    else places.set(texts[i] as string, [i]);
  }
  return places;
}

function nextPlace(places: number[] | undefined, from: number): number | undefined {
  while (places && places.length > 0) {
    const place = places.pop() as number;
    if (place >= from) return place;
  }
  return undefined;
}

/** `base[from..to)` is missing, and `found` stands in its place. Order is kept: an edit cannot pass another. */
function settleGap(
  base: JsonValue[],
  from: number,
  to: number,
  found: JsonValue[],
  { became, inserted }: Alignment,
): void {
  const inOrder = found.length === to - from;
  const byId = new Map<Id | undefined, number>();
  for (let i = from; i < to; i++) byId.set(idOf(base[i] as JsonValue), i);
  let next = from;
  let pending: JsonValue[] = [];
  for (const [k, element] of found.entries()) {
    const id = idOf(element);
    const place = id !== undefined ? byId.get(id) : inOrder ? from + k : undefined;
    if (place === undefined || place < next || !isEdit(base[place] as JsonValue, element)) {
      pending.push(element);
      continue;
    }
    (inserted[place] as Slot[]).push(...pending);
    pending = [];
    became[place] = element;
    next = place + 1;
  }
  (inserted[to] as Slot[]).push(...pending);
}

function isEdit(before: JsonValue, after: JsonValue): boolean {
  return kind(before) === kind(after) && idOf(before) === idOf(after);
}

type Id = string | number;

/** What tells elements of a list apart where they say so themselves. */
function idOf(element: Slot): Id | undefined {
  const id = isJsonObject(element) && Object.hasOwn(element, 'id') ? element['id'] : undefined;
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}

function kind(value: JsonValue): string {
  return Array.isArray(value) ? 'array' : isJsonObject(value) ? 'object' : 'scalar';
}

/**
 * An element with an id is the same wherever a side put it: it stands once, at its new place (of two the later commit's), with what
 * both sides made of it; or nowhere, if the other side removed it and nobody edited it. An id that stands several times tells nobody apart.
 */
function joinMoves(base: JsonValue[], texts: string[], ours: Alignment, others: Alignment, merge: MergeElement): void {
  const places = placesOfIds(base);
  const [moved, movedThere] = [arrivalsOf(places, ours), arrivalsOf(places, others)];
  for (const id of new Set([...moved.keys(), ...movedThere.keys()])) {
    const [here, there, from] = [moved.get(id), movedThere.get(id), places.get(id) as number];
    if (here === 'several' || there === 'several') continue;
    const m = here ? here.list[here.at] : ours.became[from];
    const t = there ? there.list[there.at] : others.became[from];
    ours.became[from] = undefined;
    others.became[from] = undefined;
    if (there) there.list[there.at] = undefined;
    const { list, at } = (here ?? there) as Arrival;
    if (m !== undefined && t !== undefined) list[at] = merge(base[from] as JsonValue, m, t);
    else list[at] = text((m ?? t) as JsonValue) === texts[from] ? undefined : (m ?? t);
  }
}

/** Where each id stands that stands there once. */
function placesOfIds(base: JsonValue[]): Map<Id, number> {
  const places = new Map<Id, number>();
  const several = new Set<Id>();
  for (const [i, element] of base.entries()) {
    const id = idOf(element);
    if (id === undefined) continue;
    if (places.has(id)) several.add(id);
    else places.set(id, i);
  }
  for (const id of several) places.delete(id);
  return places;
}

interface Arrival {
  readonly list: Slot[];
  readonly at: number;
}

/** Where this side put in the elements of `base` that have these ids. */
function arrivalsOf(places: Map<Id, number>, { became, inserted }: Alignment): Map<Id, Arrival | 'several'> {
  const arrivals = new Map<Id, Arrival | 'several'>();
  for (const list of inserted) {
    for (const [at, element] of list.entries()) {
      const id = idOf(element);
      const from = id === undefined ? undefined : places.get(id);
      if (id === undefined || from === undefined) continue;
      const alone = became[from] === undefined && !arrivals.has(id);
      arrivals.set(id, alone ? { list, at } : 'several');
    }
  }
  return arrivals;
}

/** An element that both sides moved stands once, where the later commit put it. */
function forgetMovesOfBoth(texts: string[], ours: Alignment, others: Alignment): void {
  const moved = movesOf(texts, ours);
  if (moved.size === 0) return;
  const movedThere = movesOf(texts, others);
  for (const list of others.inserted) {
    for (let i = list.length - 1; i >= 0; i--) {
      const element = list[i];
      if (element === undefined) continue;
      const name = text(element);
      const both = Math.min(moved.get(name) ?? 0, movedThere.get(name) ?? 0);
      if (both === 0) continue;
      list[i] = undefined;
      moved.set(name, both - 1);
    }
  }
}

/** How many times each text went from one place and came in at another. */
function movesOf(texts: string[], { became, inserted }: Alignment): Map<string, number> {
  const gone = new Map<string, number>();
  for (const [i, value] of became.entries()) {
    if (value === undefined) gone.set(texts[i] as string, (gone.get(texts[i] as string) ?? 0) + 1);
  }
  const moves = new Map<string, number>();
  if (gone.size === 0) return moves;
  for (const element of inserted.flat()) {
    if (element === undefined) continue;
    const name = text(element);
    const left = gone.get(name) ?? 0;
    if (left === 0) continue;
    gone.set(name, left - 1);
    moves.set(name, (moves.get(name) ?? 0) + 1);
  }
  return moves;
}

/** By which equal values are found. */
export function text(value: JsonValue): string {
  return JSON.stringify(value);
}
