// Counts what is asked of the stores of a process. Only in a process that is not timed: a watched store is a slower one.

export function watchedStores() {
  let stores = 0;
  let count = 0;
  const byOperation = {};

  /** Before the store is given away, because who gets it may take its methods out. */
  function keep(store) {
    stores += 1;
    for (let level = store; level !== Object.prototype && level !== null; level = Object.getPrototypeOf(level)) {
      for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
        if (typeof value !== 'function' || name === 'constructor' || isOfEmitters(name)) continue;
        if (store[name] !== value) continue;
        store[name] = function (...given) {
          count += 1;
          byOperation[name] = (byOperation[name] ?? 0) + 1;
          return value.apply(this, given);
        };
      }
    }
    return store;
  }
  return { keep, calls: () => ({ stores, count, byOperation: { ...byOperation } }) };
}

/** What every EventEmitter has: to listen to a store is not to ask it. `createSession` of express-session makes an object. */
const isOfEmitters = name => /^_|^(on|once|off|emit|\w*listeners?|eventNames|listenerCount|createSession)$/i.test(name);
