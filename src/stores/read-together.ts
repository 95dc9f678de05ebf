/**
 * What a turn of the event loop reads from a server, as one statement: the busier a process is, the more requests share
 * the cost of asking, which is most of what a read costs. Changes are not sent together: one that waits for a lock would
 * keep the others waiting.
 */
import { setImmediate as endOfTurn } from 'node:timers/promises';
import type { SessionRecord } from '../session/record.ts';
import { recordOf, type SessionRow } from './sql-record.ts';

/** By then a server has been asked for all that was to be read before. */
export const allAsked = (): Promise<void> => endOfTurn();

/** How many keys a statement may ask for: few sizes, because a server keeps a plan for each. What a turn reads beyond the largest is another statement. */
const SIZES = [1, 2, 4, 8, 16, 32, 64];
const MOST_TOGETHER = SIZES.at(-1);

interface Batch {
  readonly keys: string[];
  readonly rows: Promise<Map<string, SessionRow>>;
}

/** @param prepare gives what selects the rows of so many keys, in any order, each with its key; some are there twice */
export function readTogether(
  prepare: (size: number) => (keys: readonly string[]) => Promise<readonly SessionRow[]>,
): (key: string) => Promise<SessionRecord | null> {
  const statements = SIZES.map(size => ({ size, select: prepare(size) }));
  let open: Batch | null = null;

  async function rowsOf(keys: readonly string[]): Promise<Map<string, SessionRow>> {
    const { size, select } = statements.find(({ size }) => size >= keys.length) as (typeof statements)[number];
    const filledUp = Array.from({ length: size }, (_, i) => keys[i] ?? (keys[0] as string));
    return new Map((await select(filledUp)).map(row => [String(row.key), row]));
  }

  function begin(): Batch {
    const keys: string[] = [];
    const rows = endOfTurn().then(() => {
      if (open?.keys === keys) open = null;
      return rowsOf(keys);
    });
    return { keys, rows };
  }

  return async key => {
    if (!open || open.keys.length === MOST_TOGETHER) open = begin();
    const { keys, rows } = open;
    keys.push(key);
    const row = (await rows).get(key);
    return row ? recordOf(row) : null;
  };
}
