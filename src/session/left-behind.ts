/**
 * Makes a function that tells whether this bag has been changed since: it belongs to a session that is over, so what is put there
 * is lost. `null` in production, as comparing takes the text of the whole bag.
 */
export function leftBehind(bag: object): (() => boolean) | null {
  if (process.env['NODE_ENV'] === 'production') return null;
  const before = textOf(bag);
  return () => textOf(bag) !== before;
}

/** `null` for what JSON cannot hold: saving refuses that, and this is only a warning. */
function textOf(bag: object): string | null {
  try {
    return JSON.stringify(bag);
  } catch {
    return null;
  }
}
