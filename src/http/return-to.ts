const LONGEST = 2048;
/** Printable ASCII, as a request's own target is; the second character makes no `//host`. */
const LOCAL = /^\/(?![/\\])[!-[\]-~]*$/;
const NOWHERE = 'http://local.invalid';

/**
 * Where to go after a login: the path that was asked for, if it is one of this site. `value` comes from the client, so
 * everything that a browser, a proxy or a router could take for another host is refused: `//evil.test`, `/\evil.test`,
 * `https:evil.test`, control characters, also where they are percent-encoded, once or many times.
 *
 * @param fallback what is answered instead
 */
export function returnTo(value: unknown, fallback = '/'): string {
  return isLocalPath(value) ? value : fallback;
}

export function isLocalPath(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > LONGEST || !LOCAL.test(value)) return false;
  const [path = ''] = value.split(/[?#]/, 1);
  for (let text = path, decoded = decode(text); decoded !== text; text = decoded, decoded = decode(text)) {
    if (/^\/[/\\]|[^ -[\]-~\x80-\xff]/.test(decoded)) return false;
  }
  const { origin, pathname } = new URL(value, NOWHERE);
  return origin === NOWHERE && !pathname.startsWith('//');
}

/** One step of percent-decoding, byte by byte: what is no UTF-8 must not hide what stands beside it. */
function decode(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
