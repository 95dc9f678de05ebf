/** How an error reaches the application's own error handling, and what the client is told where that does not answer. */
import type { ServerResponse } from 'node:http';
import type { Sessions } from '../session/sessions.ts';
import { asError, bareError, clearForError } from './bare-error.ts';
import { writableOf } from './http2.ts';

/** How long an application may take to answer an error that it was told, in milliseconds. */
const MOST_TO_ANSWER = 5_000;

type Reporting = Pick<Sessions, 'reportFailure'>;

/**
 * Hands an error to the application's own error handling, as one that no framework takes for success. Where that throws, nobody else
 * would answer, and the process would end: polka's own handler takes the error's code for a status, which Node refuses.
 */
export function tellApplication(
  sessions: Reporting,
  response: ServerResponse,
  error: unknown,
  onError: (error: Error) => void,
): void {
  try {
    onError(asError(error));
  } catch (thrown) {
    sessions.reportFailure(error);
    if (response.headersSent) throw thrown;
    sessions.reportFailure(thrown);
    answerBarely(response, error);
  }
}

/**
 * Where a framework makes a promise of next() (h3, a middleware in an API route of Next.js), only its first call counts. When a save
 * fails later, nobody hears of it, and the client would wait for ever: so after a while it is given a bare error.
 */
export function answerIfNobodyDoes(sessions: Reporting, response: ServerResponse, error: unknown): void {
  if (response.headersSent || writableOf(response).closed) return;
  const timer = setTimeout(() => {
    if (response.headersSent) return;
    sessions.reportFailure(error);
    answerBarely(response, error);
  }, MOST_TO_ANSWER);
  response.once('close', () => clearTimeout(timer));
}

function answerBarely(response: ServerResponse, error: unknown): void {
  clearForError(response);
  response.end(bareError(response, error));
}
