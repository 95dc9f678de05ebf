// The cookies of one visitor, kept as a browser keeps them: by name, the last one set counts, an empty one is dropped.

/** Longer than most session cookies. Every Cookie header is filled up to it, as other cookies of a site would. */
const HEADER_LENGTH = 160;

export class Jar {
  #cookies = new Map();

  /** @param header `name=value; name=value` */
  constructor(header) {
    for (const pair of header === '' ? [] : header.split('; ')) this.#take(pair);
  }

  /** @param lines Set-Cookie fields */
  takeUp(lines) {
    for (const line of lines) this.#take(line.split(';', 1)[0]);
  }

  #take(pair) {
    const equals = pair.indexOf('=');
    const [name, value] = [pair.slice(0, equals), pair.slice(equals + 1)];
    if (value === '') this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }

  get header() {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}

/** A session that travels in the cookie is longer than that: what its cookie costs is its own. */
export function filledUp(header) {
  const filler = '; theme=';
  const missing = HEADER_LENGTH - header.length - filler.length;
  return missing < 1 ? header : header + filler + 'd'.repeat(missing);
}
