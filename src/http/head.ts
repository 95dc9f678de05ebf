/** What `writeHead` was given, in all the forms that Node takes. */
import type { OutgoingHttpHeader, ServerResponse } from 'node:http';

/**
 * Takes over what `writeHead(status, message?, headers?)` was given, so that fields set by us and by others live together.
 * Set-Cookie lines are added where they are not there yet (`writeHead(200, response.getHeaders())`), other fields replace.
 */
export function setHeadGiven(response: ServerResponse, status: number, second: unknown, third: unknown): void {
  const message = typeof second === 'string' ? second : undefined;
  const headers = message === undefined ? (second ?? third) : third;
  for (const [name, value] of fieldsOf(headers)) {
    if (value === undefined) continue;
    if (name.toLowerCase() === 'set-cookie') addSetCookies(response, [value].flat() as string[]);
    else response.setHeader(name, value);
  }
  response.statusCode = status;
  if (message !== undefined) response.statusMessage = message;
}

function addSetCookies(response: ServerResponse, lines: readonly string[]): void {
  const present = [response.getHeader('Set-Cookie')].flat();
  const missing = lines.filter(line => !present.includes(line));
  if (missing.length > 0) response.appendHeader('Set-Cookie', missing);
}

type Field = [name: string, value: OutgoingHttpHeader | undefined];

/** An object, a flat list of names and values, or a list of pairs: Node takes all three. */
function fieldsOf(headers: unknown): Field[] {
  if (headers === null || typeof headers !== 'object') return [];
  if (!Array.isArray(headers)) return Object.entries(headers) as Field[];
  const pairs: Field[] = Array.isArray(headers[0])
    ? (headers as Field[])
    : headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1]] as Field] : []));
  return joinRepeated(pairs);
}

/** A name may stand several times in a list: its values belong together. */
function joinRepeated(pairs: readonly Field[]): Field[] {
  const fields = new Map<string, Field>();
  for (const [name, value] of pairs) {
    const seen = fields.get(name.toLowerCase());
    if (!seen) fields.set(name.toLowerCase(), [name, value]);
    else seen[1] = [seen[1], value].flat().filter(one => one !== undefined) as string[];
  }
  return [...fields.values()];
}
