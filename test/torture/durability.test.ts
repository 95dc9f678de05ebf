// SQLite with durability 'process', its default: what a client was told is there after kill -9, whenever that comes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '../support/client.ts';
import type { Operation, Seen } from './history.ts';
import { Servers } from './servers.ts';
import { STORES } from './stores.ts';

const CRASHES = 20;
const VISITORS = 6;

/** Writes one thing after the other, and remembers what it was told. */
class Visitor {
  readonly #name: number;
  #client = new Client('');
  #written = 0;
  /** What is in the session, and what may be in it too: asked for when the connection broke. */
  #cart: string[] = [];
  #user: string | null = null;
  #asked: Operation | null = null;
  /** Cookies of sessions that are over. */
  readonly #over: string[] = [];

  constructor(name: number) {
    this.#name = name;
  }

  /** Goes on with the same cookies at another address. */
  move(url: string): void {
    this.#client = this.#client.tab(url);
  }

  /** Writes until the connection breaks. */
  async write(onDone: () => void): Promise<void> {
    for (;;) {
      const operation = this.#next();
      const before = this.#client.jar.get('session');
      this.#asked = operation;
      try {
        await this.#ask(operation);
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        return;
      }
      this.#asked = null;
      if (operation.kind === 'append') this.#cart.push(operation.value);
      if (operation.kind === 'login') this.#user = operation.user;
      if (operation.kind === 'logout') {
        this.#cart = [];
        this.#user = null;
      }
      if (operation.kind !== 'append' && before !== undefined) this.#over.push(before);
      onDone();
    }
  }

  /** Everything that was acknowledged is there; says how much it looked for. */
  async check(): Promise<number> {
    const { live, user, data } = await this.#ask({ kind: 'read' });
    const asked = this.#asked;
    const cart = (data['cart'] ?? []) as string[];
    if (asked?.kind === 'append') {
      // Of what was asked for last nobody knows: it may be there.
      assert.deepEqual(cart.slice(0, this.#cart.length), this.#cart);
      assert.ok(cart.length === this.#cart.length || cart.at(-1) === asked.value);
    } else if (live || asked === null) {
      assert.deepEqual([cart, user], [this.#cart, this.#user]);
    }
    // It goes on with what is there. A login or a logout that was done without a word has ended the session.
    [this.#cart, this.#user] = [cart, user];
    if (!live) this.#client.jar.clear();
    for (const cookie of this.#over) {
      const { live: again } = await this.#ask({ kind: 'read' }, cookie);
      assert.equal(again, false, 'a session that was ended is back');
    }
    return this.#cart.length + this.#over.length;
  }

  /** Mostly fills its cart; logs in and out now and then. */
  #next(): Operation {
    this.#written++;
    if (this.#written % 40 === 20) return { kind: 'login', user: `user ${this.#name}` };
    if (this.#written % 40 === 0) return { kind: 'logout' };
    return { kind: 'append', value: `${this.#name}.${this.#written}` };
  }

  async #ask(operation: Operation, cookie?: string): Promise<Seen> {
    const answer = await this.#client.send('POST', '/', {
      headers: { 'content-type': 'application/json', ...(cookie ? { cookie: `session=${cookie}` } : {}) },
      body: JSON.stringify({ operation, look: operation.kind === 'read', pause: 0 }),
    });
    assert.equal(answer.status, 200, answer.body);
    return answer.json<{ seen: Seen }>().seen;
  }
}

test(`kill -9 under load, ${CRASHES} times: after each restart everything that was acknowledged is there`, async t => {
  const place = await STORES['sqlite']!.prepare();
  const servers = await Servers.start(1, { store: 'sqlite', place: place.name, concurrency: 'merge' });
  const visitors = Array.from({ length: VISITORS }, (_, i) => new Visitor(i));
  let written = 0;
  let found = 0;
  try {
    for (let crash = 1; crash <= CRASHES; crash++) {
      const { url } = await servers.pick(() => 0);
      for (const visitor of visitors) visitor.move(url);
      // Every time at another point of somebody's request, while the others' are under way.
      let left = 50 + crash;
      const onDone = () => {
        written++;
        if (--left === 0) servers.crash(0);
      };
      await Promise.all(visitors.map(visitor => visitor.write(onDone)));
      const again = await servers.pick(() => 0);
      for (const visitor of visitors) visitor.move(again.url);
      for (const visitor of visitors) found += await visitor.check();
    }
  } finally {
    await servers.close();
    await place.release();
  }
  t.diagnostic(`${written} acknowledged writes before ${CRASHES} crashes, looked for ${found} times`);
});
