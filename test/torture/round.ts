// One round: browsers with several tabs each ask random things of the servers, while servers die; everything is written down.
import http from 'node:http';
import { type Answer, readSetCookie, request } from '../support/client.ts';
import { type Random, randomNumbers } from '../support/random.ts';
import { nextStep, type Step } from './generate.ts';
import type { Crash, Entry, History, Seen } from './history.ts';
import type { Servers } from './servers.ts';

export interface RoundOptions {
  seed: number;
  browsers: number;
  /** Of each browser. They share its cookies. */
  tabs: number;
  /** How many steps each tab takes. */
  steps: number;
  /** A crash comes after this many beginnings and ends of requests or up to three times as many; `null`: none comes. */
  crashEvery: number | null;
}

/** Plays a round to its end, and then looks at every session once more. */
export async function playRound(servers: Servers, options: RoundOptions): Promise<History> {
  const record = new Recorder(servers, options);
  const browsers = Array.from({ length: options.browsers }, () => new Browser());
  const tabs = browsers.flatMap((browser, b) =>
    Array.from({ length: options.tabs }, (_, t) => {
      const number = b * options.tabs + t;
      return new Tab(`b${b + 1}t${t + 1}`, browser, record, randomNumbers(options.seed + 7919 * (number + 1)));
    }),
  );
  await Promise.all(tabs.map(tab => tab.play(options.steps)));
  await servers.allUp();
  await Promise.all(tabs.filter((_, i) => i % options.tabs === 0).map(tab => tab.lookBack()));
  for (const tab of tabs) tab.close();
  return record;
}

/** The cookie of a session. */
interface Cookie {
  /** What the history calls it. */
  id: string;
  value: string;
}

/** Asks, and writes down what was asked and told. */
class Recorder implements History {
  readonly entries: Entry[] = [];
  readonly crashes: Crash[] = [];
  readonly servers: Servers;
  readonly #crashEvery: number | null;
  readonly #random: Random;
  readonly #ids = new Map<string, string>();
  #position = 0;
  #nextCrash: number;

  constructor(servers: Servers, { seed, crashEvery }: RoundOptions) {
    this.servers = servers;
    this.#crashEvery = crashEvery;
    this.#random = randomNumbers(seed);
    this.#nextCrash = this.#planCrash();
  }

  /** Asks a server, and tells which cookie the answer gave. */
  async ask(tab: string, url: string, step: Step, cookie: Cookie | null, agent: http.Agent): Promise<Told> {
    const { operation, patience } = step;
    const entry: Entry = {
      ...{ tab, operation, id: cookie?.id ?? null, began: this.#next(), ended: Number.POSITIVE_INFINITY },
      ...{ outcome: 'unknown', seen: null, cookie: null },
    };
    this.entries.push(entry);
    try {
      const answer = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(cookie ? { cookie: `session=${cookie.value}` } : {}) },
        body: JSON.stringify(step),
        agent,
        ...(patience === null ? {} : { signal: AbortSignal.timeout(patience) }),
      });
      return this.#write(entry, answer);
    } catch (error) {
      entry.problem = (error as NodeJS.ErrnoException).code ?? String(error);
      return { seen: null, cookie: null };
    }
  }

  #write(entry: Entry, answer: Answer): Told {
    entry.outcome = OUTCOMES[answer.status] ?? 'unexpected';
    if (entry.outcome !== 'unknown') entry.ended = this.#next();
    if (entry.outcome !== 'acknowledged') {
      entry.problem = `${answer.status} ${answer.body}`;
      if (answer.body.includes('ERR_SESSION_ENDED')) entry.seen = { live: false, user: null, data: {} };
      return { seen: null, cookie: null };
    }
    const { seen, count } = answer.json<{ seen: Seen | null; count?: number }>();
    entry.seen = seen;
    if (count !== undefined) entry.count = count;
    const [line] = answer.setCookies;
    if (line === undefined) return { seen, cookie: null };
    const { value, gone } = readSetCookie(line);
    const cookie = gone ? 'cleared' : { id: this.#idOf(value), value };
    entry.cookie = cookie === 'cleared' ? cookie : { id: cookie.id };
    return { seen, cookie };
  }

  /** The place of the next beginning or end; at some of them a server dies. */
  #next(): number {
    this.#position++;
    if (this.#position >= this.#nextCrash) {
      const server = this.#random(this.servers.count);
      if (this.servers.crash(server)) this.crashes.push({ at: this.#position, server });
      this.#nextCrash = this.#planCrash();
    }
    return this.#position;
  }

  #planCrash(): number {
    const every = this.#crashEvery;
    return every === null ? Number.POSITIVE_INFINITY : this.#position + every + this.#random(2 * every);
  }

  #idOf(value: string): string {
    const id = this.#ids.get(value) ?? `id${this.#ids.size + 1}`;
    this.#ids.set(value, id);
    return id;
  }
}

const OUTCOMES: Readonly<Record<number, Entry['outcome']>> = { 200: 'acknowledged', 409: 'refused', 503: 'unknown' };

interface Told {
  seen: Seen | null;
  cookie: Cookie | 'cleared' | null;
}

/** What the tabs of a browser share. */
class Browser {
  cookie: Cookie | null = null;
  /** Cookies that it had before. Not all: a session does not follow its own ids for ever. */
  readonly former: Cookie[] = [];

  keep(cookie: Cookie | 'cleared'): void {
    if (this.cookie) this.former.push(this.cookie);
    if (this.former.length > 8) this.former.shift();
    this.cookie = cookie === 'cleared' ? null : cookie;
  }
}

class Tab {
  readonly #name: string;
  readonly #browser: Browser;
  readonly #record: Recorder;
  readonly #random: Random;
  readonly #agent = new http.Agent({ keepAlive: true });
  #cart: readonly string[] = [];

  constructor(name: string, browser: Browser, record: Recorder, random: Random) {
    this.#name = name;
    this.#browser = browser;
    this.#record = record;
    this.#random = random;
  }

  async play(steps: number): Promise<void> {
    for (let i = 1; i <= steps; i++) {
      const step = nextStep(this.#random, { tab: this.#name, step: i, cart: this.#cart });
      const { former } = this.#browser;
      await this.#ask(step, step.stale ? former[this.#random(former.length || 1)] : undefined);
    }
  }

  /** Reads with every cookie that the browser has or had. */
  async lookBack(): Promise<void> {
    const read: Step = { operation: { kind: 'read' }, look: true, pause: 0, stale: false, patience: null };
    for (const cookie of [...this.#browser.former, undefined]) await this.#ask(read, cookie);
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Asks with the browser's cookie, or with one that somebody has copied earlier: then the browser learns nothing. */
  async #ask(step: Step, copied?: Cookie): Promise<void> {
    const { url } = await this.#record.servers.pick(this.#random);
    const told = await this.#record.ask(this.#name, url, step, copied ?? this.#browser.cookie, this.#agent);
    if (copied) return;
    if (told.seen) this.#cart = (told.seen.data['cart'] ?? []) as string[];
    if (told.cookie) this.#browser.keep(told.cookie);
  }
}
