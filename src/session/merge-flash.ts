/**
 * The three-way merge of flash messages. Taking them leaves nothing behind, not even their type; by the merge of any data a message that
 * came in meanwhile would bring back those that were taken, as a change stands against a deletion.
 */
import { isJsonObject, type JsonValue } from '../json.ts';
import { mergeData, mergeSlot, type Slot } from './merge.ts';

type Messages = Record<string, JsonValue[]>;

/** What both sides put in stands, and what either took is gone. Data of another kind under this key is merged like any other. */
export function mergeFlash(base: Slot, mine: Slot, theirs: Slot): Slot {
  const sides = [base, mine, theirs];
  if (!sides.every(isMessages)) return mergeSlot(base, mine, theirs, 1);
  const types = new Set(sides.flatMap(side => Object.keys(side ?? {})));
  const [b, m, t] = sides.map(side => withAll(side ?? {}, types)) as [Messages, Messages, Messages];
  const left = Object.entries(mergeData(b, m, t)).filter(([, texts]) => (texts as JsonValue[]).length > 0);
  return left.length > 0 ? Object.fromEntries(left) : undefined;
}

function isMessages(side: Slot): side is Messages | undefined {
  return side === undefined || (isJsonObject(side) && Object.values(side).every(texts => Array.isArray(texts)));
}

/** The messages with an empty list for each type that has none. */
function withAll(messages: Messages, types: ReadonlySet<string>): Messages {
  return Object.fromEntries(
    [...types].map(type => [type, Object.hasOwn(messages, type) ? messages[type] : []]),
  ) as Messages;
}
