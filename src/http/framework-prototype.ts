/** The outermost prototype that a framework put between its objects and Node's; the object itself where there is none. */
export function frameworkPrototype<T extends object>(object: T, nodes: object): T {
  let owner: T = object;
  for (let next = Object.getPrototypeOf(object); next !== null && next !== nodes; next = Object.getPrototypeOf(next)) {
    owner = next;
  }
  return owner;
}
