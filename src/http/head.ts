/** What a Node response's head needs while it is held: headers given to `writeHead`, and the look of a head that has left. */
import { type OutgoingHttpHeader, type ServerResponse, STATUS_CODES } from 'node:http';
import { MadeleineError } from '../errors.ts';
import { streamOf } from './http2.ts';

/**
 * Takes over what `writeHead(status, message?, headers?)` was given, so that fields set by us and by others live together.
 * Set-Cookie lines are added, other fields replace.
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
    if (name.toLowerCase() === 'set-cookie') response.appendHeader(name, Array.isArray(value) ? value : String(value));
    else response.setHeader(name, value);
  }
  return typeof second === 'string' ? { statusCode, message: second } : { statusCode };
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

const HEAD_METHODS = ['setHeader', 'appendHeader', 'setHeaders', 'removeHeader'] as const;

/**
 * While the head is held it counts as sent, as the handler sees it: `headersSent` is true and fields cannot be changed.
 * Otherwise an error handler that looks whether it may still answer would write into a response that is complete.
 */
export function presentHead(response: ServerResponse, ended: () => boolean): void {
  const show = (name: string, get: () => unknown) => Object.defineProperty(response, name, { get, configurable: true });
  show('headersSent', () => true);
  show('writableEnded', ended);
  for (const name of HEAD_METHODS) {
    Object.defineProperty(response, name, { value: () => refuse(name), configurable: true, writable: true });
  }
}

function refuse(name: string): never {
  const verb = name === 'removeHeader' ? 'remove' : name === 'appendHeader' ? 'append' : 'set';
  throw Object.assign(new Error(`Cannot ${verb} headers after they are sent to the client`), {
    code: 'ERR_HTTP_HEADERS_SENT',
  });
}

/** The head is ours again. */
export function releaseHead(response: ServerResponse): void {
  for (const name of ['headersSent', 'writableEnded', ...HEAD_METHODS]) {
    delete (response as unknown as Record<string, unknown>)[name];
  }
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
