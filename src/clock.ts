/** Tells the time in milliseconds since 1970, as `Date.now` does. Everything that asks for the time takes one. */
export type Clock = () => number;

/** The machine's clock, looked up at each call so that nothing is captured at import time. */
export const systemClock: Clock = () => Date.now();
