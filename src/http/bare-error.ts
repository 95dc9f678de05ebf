/** The error that takes the place of a response, and of what that had in its head. */
import { type ServerResponse, STATUS_CODES } from 'node:http';
import { MadeleineError } from '../errors.ts';
import { TARGETED } from './fields.ts';
import { forgetTrailers, streamOf } from './http2.ts';

/**
 * Fields that belong to the response which the error replaces: they describe its body, tell caches and the browser what to keep of it,
 * say where it leads (proxies too: nginx and Apache send the file that they are told of here, whatever the status), and set cookies.
 */
const OF_THE_BODY = new RegExp(
  `^(${[
    'content-(?!security-policy).*|transfer-encoding|trailer|etag|last-modified|accept-ranges|(repr-)?digest',
    'cache-control|expires|age|x-accel-expires|clear-site-data',
    'location|refresh|hx-location|hx-redirect|x-accel-redirect|x-sendfile',
    'set-cookie',
  ].join('|')})$`,
);

/** Whether a field of this name, in lower case, has no place in the error that is sent instead. */
export function isOfTheBody(name: string): boolean {
  return OF_THE_BODY.test(name) || TARGETED.test(name);
}

export function clearForError(response: ServerResponse): void {
  for (const name of response.getHeaderNames()) if (isOfTheBody(name)) response.removeHeader(name);
  forgetTrailers(response);
  response.statusCode = 500;
  // Node then takes the default for whatever status is set. HTTP/2 has no message, and warns whoever touches it.
  if (!streamOf(response)) (response as { statusMessage: string | undefined }).statusMessage = undefined;
}

/** Makes the head of an error that the application cannot answer in its own way. Answers with the body: the name of the status. */
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

/**
 * What was thrown, as something that no framework takes for success: callbacks go on where they are given `undefined`, `null` or
 * another false value, and Express also where they are given `'route'` or `'router'`. An object is handed on as it is.
 */
export function asError(thrown: unknown): Error {
  if (typeof thrown === 'object' && thrown !== null) return thrown as Error;
  return new MadeleineError(
    'ERR_NOT_AN_ERROR',
    'A function of the application threw something that is no error, or rejected with it.',
    'Throw an Error; what was thrown is the cause.',
    { cause: thrown },
  );
}
