/**
 * The three-way merge of arrays. Each side is laid against `base`: which elements stayed, which were edited in place, which
 * went, and what was put in where. Then both sides' edits are played together, theirs before mine at the same place.
 */
import type { JsonValue } from '../json.ts';

type MergeElement = (base: JsonValue, mine: JsonValue, theirs: JsonValue) => JsonValue;

/** One side, seen from `base`. */
interface Alignment {
  /** For each element of `base` what became of it; `undefined`: it went. */
  became: Array<JsonValue | undefined>;
  /** What was put in before the element of this index; the last place is the end. */
  inserted: JsonValue[][];
}

export function mergeArrays(
  base: JsonValue[],
  mine: JsonValue[],
  theirs: JsonValue[],
  merge: MergeElement,
): JsonValue[] {
  const texts = base.map(text);
  const [ours, others] = [align(base, texts, mine), align(base, texts, theirs)];
  forgetMovesOfBoth(texts, ours, others);
  const merged: JsonValue[] = [];
  for (let i = 0; i <= base.length; i++) {
    merged.push(...(others.inserted[i] as JsonValue[]), ...(ours.inserted[i] as JsonValue[]));
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
  const became: Alignment['became'] = new Array(base.length).fill(undefined);
  const inserted: JsonValue[][] = Array.from({ length: base.length + 1 }, () => []);
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
  const byId = new Map<JsonValue | undefined, number>();
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
    (inserted[place] as JsonValue[]).push(...pending);
    pending = [];
    became[place] = element;
    next = place + 1;
  }
  (inserted[to] as JsonValue[]).push(...pending);
}

function isEdit(before: JsonValue, after: JsonValue): boolean {
  return kind(before) === kind(after) && idOf(before) === idOf(after);
}

/** What tells elements of a list apart where they say so themselves. */
function idOf(element: JsonValue): JsonValue | undefined {
  if (typeof element !== 'object' || element === null || Array.isArray(element)) return undefined;
  const id = Object.hasOwn(element, 'id') ? element['id'] : undefined;
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}

function kind(value: JsonValue): string {
  return Array.isArray(value) ? 'array' : typeof value === 'object' && value !== null ? 'object' : 'scalar';
}

/** An element that both sides moved stands once, where the later commit put it. */
function forgetMovesOfBoth(texts: string[], ours: Alignment, others: Alignment): void {
  const moved = movesOf(texts, ours);
  if (moved.size === 0) return;
  const movedThere = movesOf(texts, others);
  for (const list of others.inserted) {
    for (let i = list.length - 1; i >= 0; i--) {
      const name = text(list[i] as JsonValue);
      const both = Math.min(moved.get(name) ?? 0, movedThere.get(name) ?? 0);
      if (both === 0) continue;
      list.splice(i, 1);
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
