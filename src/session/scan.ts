import type { Page, StoreAdmin } from './store.ts';

/** How many entries are held at a time. */
const PAGE = 100;

/** The pages of a store, from `cursor` on, one at a time; requests have room between them also where the store answers at once. */
export async function* pagesOf(
  store: Pick<StoreAdmin, 'page'>,
  cursor: string | null = null,
): AsyncGenerator<Page, void, undefined> {
  for (let next = cursor; ; ) {
    const page = await store.page(next, PAGE);
    yield page;
    if (page.cursor === null) return;
    next = page.cursor;
    await new Promise(resolve => setImmediate(resolve));
  }
}
