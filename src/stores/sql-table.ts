/** The table of a store over an SQL server: made before the first statement on it, and again if somebody drops it. */
import { withDeadline } from '../deadline.ts';
import { allAsked } from './read-together.ts';
import { once, UnderWay } from './server-store.ts';
import { codeOf } from './sql-errors.ts';
import { STATEMENT_TIMEOUT } from './sql-server.ts';

export interface SqlTable {
  /** Makes the table, unless that is done. */
  ready(): Promise<void>;
  /** Runs a statement on the table, which is there by then. */
  run<Result>(statement: () => Promise<Result>): Promise<Result>;
  /** Ends the pool once no statement is under way, for none would get a connection then. @param pool the store's own; `null`: it has none */
  end(pool: { end(): Promise<void> } | null): Promise<void>;
}

/** @param absent the server's code for a table that is not there */
export function sqlTable(make: () => Promise<void>, absent: string): SqlTable {
  const underWay = new UnderWay();
  const count = async <Result>(statement: () => Promise<Result>): Promise<Result> => {
    const tooMany = underWay.begin();
    if (tooMany) throw tooMany;
    try {
      return await statement();
    } finally {
      underWay.end();
    }
  };
  const made = once(() => count(make));
  const allEnded = async () => {
    do {
      await underWay.ended();
      // What a call reads after a write that came too late.
      await allAsked();
    } while (underWay.count > 0);
  };

  return {
    ready: made.done,
    run: statement =>
      made.after(() =>
        count(statement).catch((error: unknown) => {
          // Somebody dropped it: the next call makes another.
          if (codeOf(error) === absent) made.again();
          throw error;
        }),
      ),
    async end(pool) {
      await allAsked();
      if (pool === null) return;
      // No longer than one may take: where the server hangs, thousands may wait for ten connections, each of them for as long.
      await withDeadline(allEnded(), STATEMENT_TIMEOUT, stillUnderWay).catch(() => {});
      await pool.end();
    },
  };
}

function stillUnderWay(): Error {
  return new Error('Statements are still under way.');
}
