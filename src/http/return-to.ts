const LONGEST = 2048;
/** Printable ASCII without a backslash, as a request's own target is. */
const LOCAL = /^\/[!-[\]-~]*$/;
/** A backslash, a control character: what no path of ours decodes to. */
const HOSTILE = /[^ -[\]-~\x80-\xff]/;

/**
 * Where to go after a login: the path that was asked for, if it is one of this site. `value` comes from the client, so
 * everything that a browser, a proxy or a router could take for another host is refused: `//evil.test`, `/\evil.test`,
 * `https:evil.test`, control characters, also where they are percent-encoded, once or many times, or come to light
 * only when dot segments are resolved.
 *
 * @param fallback what is answered instead
 */
export function returnTo(value: unknown, fallback = '/'): string {
  return isLocalPath(value) ? value : fallback;
}

export function isLocalPath(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > LONGEST || !LOCAL.test(value)) return false;
  const [path = ''] = value.split(/[?#]/, 1);
  for (let text = path, before = ''; text !== before; before = text, text = decode(text)) {
    if (HOSTILE.test(text) || namesHost(text)) return false;
  }
  return true;
}

/** `//evil.test`, or what becomes that when dot segments are resolved: `/.//evil.test`, `/a/..//evil.test`. */
function namesHost(path: string): boolean {
  const dots = path.search(/\/\.\.?\//);
  return path.startsWith('//') || (dots >= 0 && path.includes('//', dots));
}

/** One step of percent-decoding, byte by byte: what is no UTF-8 must not hide what stands beside it. */
function decode(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
