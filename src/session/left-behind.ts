/**
 * Tells whether a bag that counts no more has been changed since: what is put there is lost. In development alone, as it takes
 * the whole text to know; `null` in production.
 */
export function leftBehind(bag: object): (() => boolean) | null {
  if (process.env['NODE_ENV'] === 'production') return null;
  const before = textOf(bag);
  return () => textOf(bag) !== before;
}

/** What cannot be written as JSON is refused where the bag is saved, and here it is only not the same. */
function textOf(bag: object): string | null {
  try {
    return JSON.stringify(bag);
  } catch {
    return null;
  }
}
