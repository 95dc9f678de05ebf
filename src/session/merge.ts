/**
 * The three-way merge of session data: two requests began from `base`, `theirs` was saved first, `mine` comes second, and
 * what both did shall stand. Pure, linear in the size of the data (to a fixed depth), and it never touches a prototype.
 * `docs/merge.md` has every case in a table, and each row of it is a test.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { mergeArrays, text } from './merge-arrays.ts';

type NumberRule<Value> = Value extends number ? 'sum' : never;
type ArrayRule<Value> = Value extends readonly unknown[] ? 'union' | 'append' : never;

/**
 * How two changes of one key are joined: `'sum'` adds up what each side added; `'union'` joins arrays as sets, an element
 * that either side removed goes; `'append'` keeps theirs and adds what is new in mine; a function decides by itself, and what
 * it throws is thrown to whoever saves.
 */
export type MergeRule<Value = JsonValue> =
  | NumberRule<Value>
  | ArrayRule<Value>
  | ((base: Value | undefined, mine: Value | undefined, theirs: Value | undefined) => Value | undefined);

/** The rules that have a name. */
export const MERGE_RULES: readonly unknown[] = ['sum', 'union', 'append'];

/** Rules by key of the data, for keys that both sides changed. A value of another type than its rule falls to the default. */
export type MergeRules<Data extends object = Record<string, unknown>> = {
  readonly [Key in keyof Data]?: unknown extends Data[Key]
    ? MergeRule<number> | MergeRule<JsonValue[]> | MergeRule
    : MergeRule<NonNullable<Data[Key]>>;
};

/** A value, or none: the key is not there. */
export type Slot = JsonValue | undefined;

/** What lies deeper is one value: where both changed it, mine stands. */
const DEEPEST = 64;

/**
 * Joins two changes of the same session data as a save that met another does: what either side put in, edited or took out stands;
 * of two changes of one value the later, `mine`. The result shares parts with the arguments; none of them is changed.
 *
 * @param base what both began from
 * @param mine what the later one made of it
 * @param theirs what is stored, by the one that was first
 * @param rules by key of the data, where the default is not what you want
 * @throws what a function among the rules throws
 */
export function mergeData(base: JsonObject, mine: JsonObject, theirs: JsonObject, rules: MergeRules = {}): JsonObject {
  return mergeObjects(base, mine, theirs, 0, (key, b, m, t) => {
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
    if (rule === undefined || same(m, b) || same(t, b)) return mergeSlot(b, m, t, 1);
    if (typeof rule === 'function') return (rule as (b: Slot, m: Slot, t: Slot) => Slot)(b, m, t);
    return byRule(rule, b, m, t) ?? mergeSlot(b, m, t, 1);
  });
}

type MergeKey = (key: string, base: Slot, mine: Slot, theirs: Slot) => Slot;

function mergeObjects(
  base: JsonObject,
  mine: JsonObject,
  theirs: JsonObject,
  depth: number,
  mergeKey?: MergeKey,
): JsonObject {
  const keys = new Set([...Object.keys(theirs), ...Object.keys(mine)]);
  const merged: Array<[string, JsonValue]> = [];
  for (const key of keys) {
    const [b, m, t] = [own(base, key), own(mine, key), own(theirs, key)];
    const value = mergeKey ? mergeKey(key, b, m, t) : mergeSlot(b, m, t, depth + 1);
    if (value !== undefined) merged.push([key, value]);
  }
  return Object.fromEntries(merged); // defines own properties, "__proto__" included
}

/** The merge of one value, by no rule. @param depth how deep in the data it stands */
export function mergeSlot(base: Slot, mine: Slot, theirs: Slot, depth: number): Slot {
  if (depth <= DEEPEST) {
    if (isJsonObject(mine) && isJsonObject(theirs)) {
      // Both made it anew where there was none, or another kind of thing.
      return mergeObjects(isJsonObject(base) ? base : {}, mine, theirs, depth);
    }
    if (Array.isArray(mine) && Array.isArray(theirs)) {
      const merge = (b: JsonValue, m: JsonValue, t: JsonValue) => mergeSlot(b, m, t, depth + 1) as JsonValue;
      return mergeArrays(Array.isArray(base) ? base : [], mine, theirs, merge);
    }
  }
  if (same(mine, base)) return theirs;
  if (same(theirs, base)) return mine;
  // Both changed it. A change stands against a deletion; of two changes the later one stands.
  return mine === undefined ? theirs : mine;
}

function byRule(rule: 'sum' | 'union' | 'append', base: Slot, mine: Slot, theirs: Slot): Slot {
  if (rule === 'sum') {
    const from = base ?? 0;
    if (typeof from === 'number' && typeof mine === 'number' && typeof theirs === 'number')
      return theirs + (mine - from);
    return undefined;
  }
  const from = base ?? [];
  if (!Array.isArray(from) || !Array.isArray(mine) || !Array.isArray(theirs)) return undefined;
  return rule === 'union' ? union(from, mine, theirs) : [...theirs, ...newIn(mine, from)];
}

function union(base: JsonValue[], mine: JsonValue[], theirs: JsonValue[]): JsonValue[] {
  const [before, inMine, inTheirs] = [base, mine, theirs].map(side => new Set(side.map(text))) as [
    Set<string>,
    Set<string>,
    Set<string>,
  ];
  const distinct = new Map([...theirs, ...mine].map(element => [text(element), element]));
  const stays = (name: string) => !before.has(name) || (inMine.has(name) && inTheirs.has(name));
  return [...distinct].filter(([name]) => stays(name)).map(([, element]) => element);
}

/** The elements that `base` does not have, or not as many times. */
export function newIn(side: JsonValue[], base: JsonValue[]): JsonValue[] {
  const left = new Map<string, number>();
  for (const element of base) left.set(text(element), (left.get(text(element)) ?? 0) + 1);
  return side.filter(element => {
    const count = left.get(text(element)) ?? 0;
    left.set(text(element), count - 1);
    return count <= 0;
  });
}

function own(object: JsonObject, key: string): Slot {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function same(a: Slot, b: Slot): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && text(a) === text(b));
}
