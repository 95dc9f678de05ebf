/** The table of a store over an SQL server: made before the first statement on it, and again if somebody drops it. */
import { setImmediate as endOfTurn } from 'node:timers/promises';
import { allAsked } from './read-together.ts';
import { once } from './server-store.ts';
import { codeOf } from './sql-errors.ts';

/** In milliseconds. */
const PAUSE = 10;
/** Statements that wait for a server that hangs take memory, and mysql2's pool keeps them for as long as it does. */
const MOST_UNDER_WAY = 10_000;

export interface SqlTable {
  /** Makes the table, unless that is done. */
  ready(): Promise<void>;
  /** Runs a statement on the table, which is there by then. */
  run<Result>(statement: () => Promise<Result>): Promise<Result>;
  /** Ends the store's own pool, once no statement is under way: one that has ended gives nobody a connection. @param pool `null`: it has none */
  end(pool: { end(): Promise<void> } | null): Promise<void>;
}

/** @param absent the server's code for a table that is not there */
export function sqlTable(make: () => Promise<void>, absent: string): SqlTable {
  let underWay = 0;
  const count = <Result>(statement: () => Promise<Result>): Promise<Result> => {
    if (underWay >= MOST_UNDER_WAY) return Promise.reject(tooManyUnderWay());
    underWay++;
    return statement().finally(() => {
      underWay--;
    });
  };
  const made = once(() => count(make));

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
      do {
        while (underWay > 0) await new Promise(resolve => setTimeout(resolve, PAUSE));
        // A call may take several statements: what it reads after a write that came too late is asked for at the end of the turn.
        await endOfTurn();
      } while (underWay > 0);
      await pool.end();
    },
  };
}

function tooManyUnderWay(): Error {
  return new Error(`${MOST_UNDER_WAY} statements wait for an answer of the server already`);
}
