/** A number from 0 to one below `below`. */
export type Random = (below: number) => number;

/** Numbers that look random and are the same for the same seed (xorshift32). */
export function randomNumbers(seed: number): Random {
  // Scattered first, so that seeds which follow one another have nothing in common.
  let state = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) ^ 0x9e3779b9 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let i = 0; i < 8; i++) next();
  return below => next() % below;
}
