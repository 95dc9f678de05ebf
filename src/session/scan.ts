import type { MaybePromise } from '../maybe-promise.ts';
import type { Page } from './store.ts';

/** How many entries are held at a time. */
const PAGE = 100;

/** The pages of a store, from `cursor` on, one at a time; requests have room between them also where the store answers at once. */
export async function* pagesOf(
  read: (cursor: string | null, limit: number) => MaybePromise<Page>,
  cursor: string | null = null,
): AsyncGenerator<Page, void, undefined> {
  for (let next = cursor; ; ) {
    const page = await read(next, PAGE);
    yield page;
    if (page.cursor === null) return;
    next = page.cursor;
    await new Promise(resolve => setImmediate(resolve));
  }
}
