// What a history is: what each client asked, what it was told, and what it saw. Shared by who makes one and who judges it.

/** What one request does. Every value that is written is written once in a history, so what is seen tells who wrote it. */
export type Operation =
  | { kind: 'read' | 'increment' | 'touch' | 'logout' | 'rotate' }
  | { kind: 'set'; key: string; value: string }
  | { kind: 'delete'; key: string }
  | { kind: 'append' | 'remove'; value: string }
  | { kind: 'login'; user: string };

/** What a request found in its session before it did anything. */
export interface Seen {
  /** False: the id, if there was one, opened nothing. */
  live: boolean;
  user: string | null;
  /** `cart` is the list, `visits` the counter, everything else was set. */
  data: Readonly<Record<string, unknown>>;
}

/**
 * `acknowledged`: the client was told that it is done. `refused`: it was told that nothing was done. `unknown`: the
 * connection broke, or the store failed, so it may have been done or not, or may yet be. `unexpected`: no answer that this
 * application gives.
 */
export type Outcome = 'acknowledged' | 'refused' | 'unknown' | 'unexpected';

/** One request, as its client knows it. */
export interface Entry {
  /** Who asked: one tab of one browser, which asks one thing after the other. */
  tab: string;
  operation: Operation;
  /** The id in the cookie that was sent: a name for it. */
  id: string | null;
  /**
   * The place of its beginning and of its end among all beginnings and ends, as the clients saw them: an entry that ended
   * before another began came before it. Infinity: no end was seen.
   */
  began: number;
  ended: number;
  outcome: Outcome;
  seen: Seen | null;
  /** What the response did to the cookie: the id it gave, or `'cleared'`. */
  cookie: { id: string } | 'cleared' | null;
  /** What an increment was told. */
  count?: number;
  /** The status and the error, where it was not done. */
  problem?: string;
}

export interface Crash {
  at: number;
  server: number;
}

export interface History {
  entries: readonly Entry[];
  crashes: readonly Crash[];
}
