/** What a Node response's head is made of: headers given to `writeHead`, and the head of an error in place of another. */
import { type OutgoingHttpHeader, type ServerResponse, STATUS_CODES } from 'node:http';
import { MadeleineError } from '../errors.ts';
import { forgetTrailers, streamOf } from './http2.ts';

/**
 * Takes over what `writeHead(status, message?, headers?)` was given, so that fields set by us and by others live together.
 * Set-Cookie lines are added where they are not there yet (`writeHead(200, response.getHeaders())`), other fields replace.
 */
export function setHeadersGiven(
  response: ServerResponse,
  statusCode: number,
  second: unknown,
  third: unknown,
): { statusCode: number; message?: string } {
  const headers = typeof second === 'string' ? third : (second ?? third);
  for (const [name, value] of fieldsOf(headers)) {
    if (value === undefined) continue;
    if (name.toLowerCase() === 'set-cookie') addSetCookies(response, [value].flat().map(String));
    else response.setHeader(name, value);
  }
  return typeof second === 'string' ? { statusCode, message: second } : { statusCode };
}

function addSetCookies(response: ServerResponse, lines: readonly string[]): void {
  const present = [response.getHeader('Set-Cookie') ?? []].flat();
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
    : headers.flatMap((name, i) => (i % 2 === 0 ? [[String(name), headers[i + 1]] as Field] : []));
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

/** Of a response that is not to be: what described its body, where it led, the cookies it would have set. */
const OF_THE_BODY =
  /^(content-(?!security-policy)|transfer-encoding$|etag$|last-modified$|cache-control$|expires$|accept-ranges$|location$|trailer$|set-cookie$)/;

/** Whether a field of this name, in lower case, has no place in the error that is sent instead. */
export function isOfTheBody(name: string): boolean {
  return OF_THE_BODY.test(name);
}

export function clearForError(response: ServerResponse): void {
  for (const name of response.getHeaderNames()) if (isOfTheBody(name)) response.removeHeader(name);
  forgetTrailers(response);
  response.statusCode = 500;
  // Back to the default for whatever status comes; Node knows it as "not given". HTTP/2 has none, and warns who looks for one.
  if (!streamOf(response)) (response as { statusMessage: string | undefined }).statusMessage = undefined;
}

/** Makes the head of an error that no application can say in its own way; answers with its body, the name of the status. */
export function bareError(response: ServerResponse, error: unknown): string {
  response.statusCode = statusOf(error);
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  return nameOf(response.statusCode);
}

/** The same error as a Fetch response. */
export function bareErrorResponse(error: unknown): Response {
  const status = statusOf(error);
  return new Response(nameOf(status), { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' } });
}

/** The HTTP status that an error means for the client. */
export function statusOf(error: unknown): number {
  return error instanceof MadeleineError ? error.status : 500;
}

function nameOf(status: number): string {
  return `${STATUS_CODES[status]}\n`;
}
