import type { Page, StoreAdmin } from './store.ts';

/** How many entries are held at a time. */
const PAGE = 100;

/** The pages of a store, from `cursor` on. Between two of them requests get a turn, even if the store answers synchronously. */
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
