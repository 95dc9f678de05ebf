/** A bounded memory of what was used lately. */
export interface RecentlyUsed<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
}

/**
 * Keeps at least what was used last, up to a weight of `most`, and at most twice as much: when the younger half is full it becomes
 * the older one, and the older one is dropped. That takes no bookkeeping for each use; what is set again is weighed again.
 *
 * @param weigh says what a value counts; by default each counts 1
 */
export function createRecentlyUsed<Value>(
  most: number,
  weigh: (value: Value) => number = () => 1,
): RecentlyUsed<Value> {
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();
  let weight = 0;

  function set(key: string, value: Value): void {
    if (weight >= most) {
      old = young;
      young = new Map();
      weight = 0;
    }
    young.set(key, value);
    weight += weigh(value);
  }

  return {
    set,
    get(key) {
      const value = young.get(key);
      if (value !== undefined) return value;
      const older = old.get(key);
      if (older !== undefined) set(key, older);
      return older;
    },
  };
}
