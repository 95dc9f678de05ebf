import { LargeList } from './large-list.ts';

/** What an item carries to stand in an `ExpiryQueue`. */
export interface Expiring {
  readonly record: { readonly expiresAt: number };
  /** Where in the queue it stands; the queue's own business. */
  place: number;
}

/**
 * Items by the moment they expire: a binary heap in which every item knows its place, so that one can be moved or taken
 * out of the middle. The first to expire is always at hand, and any change costs at most the logarithm of the number.
 */
export class ExpiryQueue<Item extends Expiring> {
  readonly #heap = new LargeList<Item>();

  /** The item that expires first. */
  get first(): Item | undefined {
    return this.#heap.at(0);
  }

  add(item: Item): void {
    this.#put(item, this.#heap.length);
    this.#rise(item);
  }

  remove(item: Item): void {
    const last = this.#heap.pop();
    if (last === undefined || last === item) return;
    this.#put(last, item.place);
    this.moved(last);
  }

  /** Restores the order after the item's expiry has changed. */
  moved(item: Item): void {
    this.#rise(item);
    this.#sink(item);
  }

  #rise(item: Item): void {
    const { expiresAt } = item.record;
    let place = item.place;
    while (place > 0) {
      const parentPlace = (place - 1) >> 1;
      const parent = this.#heap.at(parentPlace) as Item;
      if (parent.record.expiresAt <= expiresAt) break;
      this.#put(parent, place);
      place = parentPlace;
    }
    this.#put(item, place);
  }

  #sink(item: Item): void {
    const { expiresAt } = item.record;
    let place = item.place;
    for (;;) {
      const child = this.#earlierChild(place);
      if (child === undefined || child.record.expiresAt >= expiresAt) break;
      const childPlace = child.place;
      this.#put(child, place);
      place = childPlace;
    }
    this.#put(item, place);
  }

  #earlierChild(place: number): Item | undefined {
    const left = this.#heap.at(2 * place + 1);
    const right = this.#heap.at(2 * place + 2);
    return left && right && right.record.expiresAt < left.record.expiresAt ? right : left;
  }

  #put(item: Item, place: number): void {
    this.#heap.put(item, place);
    item.place = place;
  }
}
