/**
 * The Cookie request field, read as servers should (RFC 6265 section 4.2.1, draft-ietf-httpbis-layered-cookies section 4.2):
 *
 *     cookie-string = cookie-pair *( ";" SP cookie-pair )
 *
 * Lenient as browsers are, never throwing, in linear time: split on `;` alone; the name ends at the first `=`; only space
 * and tab are trimmed; names are compared byte for byte and never decoded.
 */

/** More cookies than any browser keeps for a site; what comes after them is not read. */
const MOST_COOKIES = 1000;
/** More of one name than hosts and paths above a page can set by mistake. Each costs a look at its signature or seal, so no more are given. */
const MOST_OF_ONE_NAME = 20;
/** More than Node accepts as a header by default; a longer field, from elsewhere, is not read at all. */
const LONGEST_COOKIE_FIELD = 64 * 1024;

const SPACE = 0x20;
const TAB = 0x09;
const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
/** No control character but the tab (RFC 6265bis section 5.6). Matching what is allowed is quicker than searching for what is not. */
const CLEAN = /^[\t\x20-\x7e\x80-\uffff]*$/;

/**
 * The cookies by name, values decoded once, in an object without a prototype. Of several with one name the first counts. A
 * pair without a name, or with a control character in it, is left out. A bad percent sequence leaves the value as it is.
 *
 * @param field the Cookie field, or several of them (HTTP/2 may split it)
 */
export function parseCookies(field: string | readonly string[] | undefined): Record<string, string> {
  const cookies: Record<string, string> = Object.create(null);
  const text = joinFields(field);
  // One look at the whole is enough for nearly all that is sent.
  const isClean = CLEAN.test(text);
  const isPlain = isClean && !text.includes('%');
  let count = 0;
  let equals = -1;
  for (let start = 0; start < text.length && count < MOST_COOKIES; ) {
    const end = endOfPair(text, start);
    // Searched for again only once it has been passed: otherwise each pair without one would search all of the rest.
    if (equals < start) equals = text.indexOf('=', start);
    if (equals < 0) break;
    if (equals < end) {
      const name = trimmed(text, start, equals);
      // Not by `in`, which would take longer than all the rest.
      if (name !== '' && cookies[name] === undefined) {
        const value = unquote(trimmed(text, equals + 1, end));
        if (isPlain) cookies[name] = value;
        else if (isClean || (CLEAN.test(name) && CLEAN.test(value))) cookies[name] = decodeValue(value);
      }
      count++;
    }
    start = end + 1;
  }
  return cookies;
}

/** The values that were sent under exactly this name, as they were sent, twenty at most. Other cookies are not looked at. */
export function cookieValues(field: string | readonly string[] | undefined, name: string): string[] {
  const values: string[] = [];
  const text = joinFields(field);
  for (let at = text.indexOf(name); at >= 0 && values.length < MOST_OF_ONE_NAME; at = text.indexOf(name, at + 1)) {
    const equals = afterBlanks(text, at + name.length);
    if (text.charCodeAt(equals) !== EQUALS || !beginsPair(text, at)) continue;
    const value = trimmed(text, equals + 1, endOfPair(text, equals));
    if (CLEAN.test(value)) values.push(unquote(value));
  }
  return values;
}

function joinFields(field: string | readonly string[] | undefined): string {
  const text = typeof field === 'string' ? field : Array.isArray(field) ? field.join('; ') : '';
  return text.length > LONGEST_COOKIE_FIELD ? '' : text;
}

function endOfPair(text: string, from: number): number {
  const semicolon = text.indexOf(';', from);
  return semicolon < 0 ? text.length : semicolon;
}

function beginsPair(text: string, at: number): boolean {
  const before = beforeBlanks(text, at);
  return before === 0 || text.charCodeAt(before - 1) === SEMICOLON;
}

function trimmed(text: string, from: number, to: number): string {
  const start = afterBlanks(text, from);
  return start < to ? text.slice(start, beforeBlanks(text, to)) : '';
}

function afterBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text.charCodeAt(at))) at++;
  return at;
}

function beforeBlanks(text: string, to: number): number {
  let at = to;
  while (at > 0 && isBlank(text.charCodeAt(at - 1))) at--;
  return at;
}

/** Space and tab only: other white space of Unicode may be part of a name that is made to look like another. */
function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function unquote(value: string): string {
  const last = value.length - 1;
  return last > 0 && value.charCodeAt(0) === QUOTE && value.charCodeAt(last) === QUOTE ? value.slice(1, -1) : value;
}

export function decodeValue(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
