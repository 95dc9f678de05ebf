/** How many maps one is made of: a million entries are 4,000 in each, whose growth takes a fraction of a millisecond. */
const PARTS = 256;

/**
 * A `Map` for very many entries that never makes its process wait. One `Map` copies its whole table when it grows, when it
 * shrinks, and when what was deleted has left it full of holes: 80 ms with half a million entries. Here only one part of 256 does.
 */
export class LargeMap<Value> {
  readonly #parts: ReadonlyArray<Map<string, Value>> = Array.from({ length: PARTS }, () => new Map());
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): Value | undefined {
    return this.#part(key).get(key);
  }

  has(key: string): boolean {
    return this.#part(key).has(key);
  }

  set(key: string, value: Value): void {
    const part = this.#part(key);
    const before = part.size;
    part.set(key, value);
    this.#size += part.size - before;
  }

  delete(key: string): void {
    if (this.#part(key).delete(key)) this.#size--;
  }

  /** The values of every part from this one on, each part's in the order in which they came. */
  *values(first = 0): Generator<{ value: Value; part: number }> {
    for (let part = first; part < PARTS; part++) {
      for (const value of (this.#parts[part] as Map<string, Value>).values()) yield { value, part };
    }
  }

  #part(key: string): Map<string, Value> {
    return this.#parts[hash(key) % PARTS] as Map<string, Value>;
  }
}

/** FNV-1a, 32 bits. Who chooses keys that all fall into one part gains nothing: that part is a `Map` like every other. */
function hash(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
