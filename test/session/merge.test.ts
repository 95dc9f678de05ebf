// The tables of docs/merge.md, row by row, and what must hold for any data.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type JsonObject, type MergeRules, mergeData } from 'madeleine';

const [cases = '', rules = ''] = readFileSync('docs/merge.md', 'utf8').split('## Rules for a key');

function rowsOf(text: string): Array<{ title: string; values: JsonObject[] }> {
  const lines = text.split('\n').filter(line => /^\| .*`\{/.test(line));
  return lines.map(line => ({
    title: line.split(' | ')[0]?.replace(/[|`]/g, '').trim() ?? '',
    values: [...line.matchAll(/`(\{.*?\})`(?= \|)/g)].map(match => JSON.parse(match[1] as string)),
  }));
}

describe('docs/merge.md', () => {
  for (const { title, values } of rowsOf(cases)) {
    it(title, () => {
      const [base, theirs, mine, result] = values as [JsonObject, JsonObject, JsonObject, JsonObject];
      assert.deepEqual(mergeData(base, mine, theirs), result);
    });
  }
  for (const { title, values } of rowsOf(rules)) {
    it(`rule ${title}: ${JSON.stringify(values)}`, () => {
      const [base, theirs, mine, result] = values as [JsonObject, JsonObject, JsonObject, JsonObject];
      const given = { n: title } as unknown as MergeRules;
      assert.deepEqual(mergeData(base, mine, theirs, given), result);
    });
  }
  it('has all its rows read', () => {
    assert.ok(rowsOf(cases).length > 20 && rowsOf(rules).length > 5);
    assert.ok([...rowsOf(cases), ...rowsOf(rules)].every(row => row.values.length === 4));
  });
});

// Keys and values that meet often, or there would be nothing to merge.
const key = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', 'id');
const { value } = fc.letrec<{ value: unknown; object: unknown; array: unknown }>(tie => ({
  value: fc.oneof({ maxDepth: 4 }, fc.constantFrom(1, 2, 'x', 'y', null, true), tie('object'), tie('array')),
  object: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  array: fc.array(tie('value'), { maxLength: 6 }),
}));
const data = fc.dictionary(key, value, { maxKeys: 5 }).map(made => JSON.parse(JSON.stringify(made)) as JsonObject);
const runs = { numRuns: 2000 };

describe('for any data', () => {
  it('mine = base gives theirs, theirs = base gives mine', () => {
    fc.assert(
      fc.property(data, data, (base, side) => {
        assert.deepEqual(mergeData(base, base, side), side);
        assert.deepEqual(mergeData(base, side, base), side);
      }),
      runs,
    );
  });

  it('the order of two commits to different paths does not matter', () => {
    fc.assert(
      fc.property(data, value, value, (base, one, two) => {
        const left = JSON.parse(JSON.stringify({ ...base, left: one }));
        const right = JSON.parse(JSON.stringify({ ...base, right: two }));
        assert.deepEqual(mergeData(base, left, right), mergeData(base, right, left));
      }),
      runs,
    );
  });

  it('it never throws, never touches a prototype, never changes what it was given', () => {
    fc.assert(
      fc.property(data, data, data, (base, mine, theirs) => {
        const before = JSON.stringify([base, mine, theirs]);
        const merged = mergeData(base, mine, theirs, { a: 'sum', b: 'union', c: 'append' });
        JSON.stringify(merged);
        assert.equal(Object.getPrototypeOf(merged), Object.prototype);
        assert.equal(JSON.stringify([base, mine, theirs]), before);
      }),
      runs,
    );
    assert.deepEqual(Object.keys(Object.prototype), []);
  });

  it('200 appends, committed one by one from stale data in any grouping, are all kept', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(12), { minLength: 200, maxLength: 200 }), ages => {
        const versions: JsonObject[] = [{ cart: [] }];
        for (const [item, age] of ages.entries()) {
          const base = versions[Math.max(0, versions.length - 1 - age)] as { cart: number[] };
          versions.push(mergeData(base, { cart: [...base.cart, item] }, versions.at(-1) as JsonObject));
        }
        const { cart } = versions.at(-1) as { cart: number[] };
        assert.deepEqual(
          [...cart].sort((a, b) => a - b),
          ages.map((_, item) => item),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('an id stands once, with the edits of both sides, wherever it is moved to', () => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const side = fc.record({
      order: fc.shuffledSubarray(ids, { minLength: ids.length }),
      removed: fc.subarray(ids),
      edited: fc.subarray(ids),
    });
    fc.assert(
      fc.property(side, side, (one, two) => {
        const list = ({ order, removed, edited }: typeof one, field: string) =>
          order
            .filter(id => edited.includes(id) || !removed.includes(id))
            .map(id => (edited.includes(id) ? { id, [field]: true } : { id }));
        const base = { list: ids.map(id => ({ id })) };
        const merged = mergeData(base, { list: list(one, 'one') }, { list: list(two, 'two') }).list as JsonObject[];
        const edit = (id: string) => one.edited.includes(id) || two.edited.includes(id);
        const removal = (id: string) => one.removed.includes(id) || two.removed.includes(id);
        const expected = ids
          .filter(id => edit(id) || !removal(id))
          .map(id => ({
            id,
            ...(one.edited.includes(id) && { one: true }),
            ...(two.edited.includes(id) && { two: true }),
          }));
        assert.deepEqual(
          merged.toSorted((a, b) => String(a['id']).localeCompare(String(b['id']))),
          expected,
        );
      }),
      runs,
    );
  });

  it('depth does not overflow the stack: what is too deep is one value', () => {
    const deep = (leaf: number): JsonObject => JSON.parse(`${'{"a":'.repeat(3000)}${leaf}${'}'.repeat(3000)}`);
    assert.equal(JSON.stringify(mergeData(deep(1), deep(3), deep(2))), JSON.stringify(deep(3)));
    const lists = (leaf: number): JsonObject => JSON.parse(`{"a":${'['.repeat(3000)}${leaf}${']'.repeat(3000)}}`);
    assert.equal(JSON.stringify(mergeData(lists(1), lists(3), lists(2))), JSON.stringify(lists(3)));
  });

  it('a rule that is a function decides, and is asked only when both sides changed the key', () => {
    const asked: unknown[] = [];
    const rule = (base: unknown, mine: unknown, theirs: unknown) => {
      asked.push([base, mine, theirs]);
      return 'decided';
    };
    const rules = { p: rule } as unknown as MergeRules;
    assert.deepEqual(mergeData({ p: 1 }, { p: 2 }, { p: 1 }, rules), { p: 2 });
    assert.deepEqual(mergeData({ p: 1 }, { p: 2 }, { p: 3 }, rules), { p: 'decided' });
    assert.deepEqual(asked, [[1, 2, 3]]);
  });
});
