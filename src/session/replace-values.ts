/** JSON text in which single values are replaced, and all else is taken over as it stands. */

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/**
 * Where in the text the value of each key is over: at the comma or the brace after it.
 *
 * @param text what `JSON.parse` has read
 * @param keys those of the data, in its order
 * @returns `null` where the text is not as `JSON.stringify` writes it: blanks around keys, a key that stands twice
 */
export function endsOfValues(text: string, keys: readonly string[]): number[] | null {
  const ends: number[] = [];
  let at = 0;
  for (const key of keys) {
    const begin = at + keyLength(key);
    if (text.charCodeAt(at + 1) !== QUOTE || !text.startsWith(key, at + 2)) return null;
    if (text.charCodeAt(begin - 2) !== QUOTE || text.charCodeAt(begin - 1) !== COLON) return null;
    at = endOfValue(text, begin);
    ends.push(at);
  }
  return at === text.length - 1 ? ends : null;
}

/**
 * The text with other values for some keys, all in one pass, and where its values are over then.
 *
 * @param ends where they are over in `text`, as `endsOfValues` says
 * @param changed the numbers of the keys, at least one, from the first to the last
 * @param valueTexts the JSON texts of their values
 */
export function replaceValues(
  text: string,
  keys: readonly string[],
  ends: readonly number[],
  changed: readonly number[],
  valueTexts: readonly string[],
): { text: string; ends: number[] } {
  const newEnds = ends.slice();
  let made = '';
  let taken = 0;
  let grown = 0;
  let next = 0;
  for (let index = changed[0] as number; index < keys.length; index++) {
    if (index === changed[next]) {
      const begin = (ends[index - 1] ?? 0) + keyLength(keys[index] as string);
      const valueText = valueTexts[next++] as string;
      made += text.slice(taken, begin) + valueText;
      taken = ends[index] as number;
      grown += begin + valueText.length - taken;
    }
    newEnds[index] = (ends[index] as number) + grown;
  }
  return { text: made + text.slice(taken), ends: newEnds };
}

/** Of the key as it stands in the text, from the brace or the comma before it to the colon. */
function keyLength(key: string): number {
  return key.length + 4;
}

/** Where the value that begins here is over: at the comma or the brace after it. */
function endOfValue(text: string, begin: number): number {
  let depth = 0;
  for (let at = begin; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) at = endOfString(text, at);
    else if (character === COMMA && depth === 0) return at;
    else if (character === OPENING_BRACE || character === OPENING_BRACKET) depth++;
    else if (character === CLOSING_BRACE || character === CLOSING_BRACKET) {
      if (depth === 0) return at;
      depth--;
    }
  }
  return text.length;
}

/** Where the quote is that closes the one that stands here. */
function endOfString(text: string, begin: number): number {
  let at = text.indexOf('"', begin + 1);
  while (at >= 0 && isEscaped(text, at)) at = text.indexOf('"', at + 1);
  return at < 0 ? text.length : at;
}

/** Whether what stands here has an odd number of backslashes before it. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === BACKSLASH) first--;
  return (at - first) % 2 === 1;
}
