import { LargeList } from './large-list.ts';

/** What an item carries to stand in an `ExpiryQueue`. */
export interface Expiring {
  readonly record: { readonly expiresAt: number };
  /** Where in the queue it stands; the queue's own business. */
  place: number;
}

/** Children of one place: with four of them, whose times lie side by side, there are half as many floors as with two. */
const CHILDREN = 4;

/**
 * Items by the moment they expire: a heap in which every item knows its place, so that one can be moved or taken out of the
 * middle. The first to expire is always at hand, and any change costs at most the logarithm of the number.
 *
 * The times stand in a list of their own: comparing them through the items would fetch each from another corner of memory,
 * which with 100,000 items takes longer than all else that a store does.
 */
export class ExpiryQueue<Item extends Expiring> {
  readonly #items = new LargeList<Item>();
  readonly #times = new LargeList<number>();

  /** The item that expires first. */
  get first(): Item | undefined {
    return this.#items.at(0);
  }

  add(item: Item): void {
    this.#rise(item, this.#items.length, item.record.expiresAt);
  }

  remove(item: Item): void {
    const last = this.#items.pop();
    const time = this.#times.pop();
    if (last !== item) this.#move(last, item.place, time);
  }

  /** Restores the order after the item's expiry has changed. */
  moved(item: Item): void {
    this.#move(item, item.place, item.record.expiresAt);
  }

  #move(item: Item, from: number, time: number): void {
    this.#sink(item, this.#rise(item, from, time), time);
  }

  /** Puts the item where no later one is above it, and says where. */
  #rise(item: Item, from: number, time: number): number {
    let place = from;
    while (place > 0) {
      const parent = Math.floor((place - 1) / CHILDREN);
      const parentTime = this.#times.at(parent) as number;
      if (parentTime <= time) break;
      this.#put(this.#items.at(parent) as Item, place, parentTime);
      place = parent;
    }
    this.#put(item, place, time);
    return place;
  }

  /** Puts the item where no earlier one is below it. */
  #sink(item: Item, from: number, time: number): void {
    let place = from;
    for (;;) {
      const child = this.#earliestChild(place);
      const childTime = this.#times.at(child);
      if (childTime === undefined || childTime >= time) break;
      this.#put(this.#items.at(child) as Item, place, childTime);
      place = child;
    }
    if (place !== from) this.#put(item, place, time);
  }

  /** Where the first to expire of those below stands; past the end where there are none. */
  #earliestChild(place: number): number {
    const first = CHILDREN * place + 1;
    const end = Math.min(first + CHILDREN, this.#times.length);
    let earliest = first;
    for (let child = first + 1; child < end; child++) {
      if ((this.#times.at(child) as number) < (this.#times.at(earliest) as number)) earliest = child;
    }
    return earliest;
  }

  #put(item: Item, place: number, time: number): void {
    this.#items.put(item, place);
    this.#times.put(time, place);
    item.place = place;
  }
}
