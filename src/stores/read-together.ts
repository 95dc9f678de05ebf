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

/** What is read at once is in memory at once, as text and as rows. What comes above it in one turn is a statement more. */
const MOST_TOGETHER = 64;

interface Batch {
  readonly keys: string[];
  readonly rows: Promise<Map<string, SessionRow>>;
}

/** @param select the rows of these keys, in any order, each with its key; a key may be among them twice */
export function readTogether(
  select: (keys: readonly string[]) => Promise<readonly SessionRow[]>,
): (key: string) => Promise<SessionRecord | null> {
  let open: Batch | null = null;

  function begin(): Batch {
    const keys: string[] = [];
    const rows = endOfTurn().then(async () => {
      if (open?.keys === keys) open = null;
      return new Map((await select(keys)).map(row => [String(row.key), row]));
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
