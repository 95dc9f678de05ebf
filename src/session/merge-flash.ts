/**
 * The three-way merge of flash messages. Taking them leaves nothing behind, not even their type; by the merge of any data a message that
 * came in meanwhile would bring back those that were taken, as a change stands against a deletion. And a list of which one element was
 * taken and one put in looks like a list with one element edited: of two tabs that do so, one would lose its message.
 */
import { isJsonObject, type JsonValue } from '../json.ts';
import { mergeSlot, newIn, type Slot } from './merge.ts';

type Messages = Record<string, JsonValue[]>;

/** What both sides put in stands, and what either took is gone. Data of another kind under this key is merged like any other. */
export function mergeFlash(base: Slot, mine: Slot, theirs: Slot): Slot {
  if (!(isMessages(base) && isMessages(mine) && isMessages(theirs))) return mergeSlot(base, mine, theirs, 1);
  const left: Array<[type: string, texts: JsonValue[]]> = [];
  for (const type of new Set([...Object.keys(theirs ?? {}), ...Object.keys(mine ?? {})])) {
    const [before, here, there] = [of(base, type), of(mine, type), of(theirs, type)];
    const taken = newIn(before, here);
    const texts = [...newIn(there, taken), ...newIn(here, before)];
    if (texts.length > 0) left.push([type, texts]);
  }
  return left.length > 0 ? Object.fromEntries(left) : undefined;
}

function isMessages(side: Slot): side is Messages | undefined {
  return side === undefined || (isJsonObject(side) && Object.values(side).every(texts => Array.isArray(texts)));
}

function of(messages: Messages | undefined, type: string): JsonValue[] {
  return messages !== undefined && Object.hasOwn(messages, type) ? (messages[type] as JsonValue[]) : [];
}
