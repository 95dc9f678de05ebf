/** What is called `(request, response, next)`, as Express, connect and polka have it, whatever tells it of the request. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { sessionProperties } from '../http/accessor.ts';
import { warnIfShadowed } from '../http/missing.ts';
import { mount, type Next, sessionOf } from '../http/mount.ts';
import { giveProperties } from '../http/request-properties.ts';
import type { Session } from '../session/bag.ts';
import type { SessionData } from '../session/session-data.ts';
import type { Sessions } from '../session/sessions.ts';
import type { RequestFacts } from '../session/state.ts';
import { createAdapterSessions, type SessionOptions } from './adapter-sessions.ts';

/** A request of `node:http`, `node:https` or the compatibility API of `node:http2`. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

export interface SessionMiddleware<Data extends object = SessionData> {
  (request: NodeRequest, response: NodeResponse, next: Next): void;
  /** Lists, revokes and prunes sessions, outside a request as well. */
  readonly sessions: Sessions<Data>;
  /** The session that this middleware opened for the request, typed. @throws MadeleineError `ERR_SESSION_MISSING` */
  of(request: NodeRequest): Session<Data>;
}

/**
 * @param equip gives each request what handlers look for on it
 * @throws MadeleineError for wrong options
 */
export function createMiddleware<Data extends object>(
  options: SessionOptions<Data>,
  factsOf: (request: IncomingMessage) => RequestFacts,
  equip: (request: IncomingMessage) => void = equipWith({}),
): SessionMiddleware<Data> {
  const sessions = createAdapterSessions(options);
  return Object.assign(
    (given: NodeRequest, response: NodeResponse, next: Next): void => {
      const request = asHttp1(given);
      equip(request);
      mount(sessions, request, response as ServerResponse, factsOf(request), next, next);
    },
    { sessions, of: (request: NodeRequest): Session<Data> => sessionOf(sessions, asHttp1(request)) },
  );
}

/** Gives each request `session`, `flash` and these other properties. */
export function equipWith(others: PropertyDescriptorMap): (request: IncomingMessage) => void {
  const properties = sessionProperties<IncomingMessage>(request => request);
  return giveProperties({ ...properties, ...others }, 'session', warnIfShadowed);
}

/** HTTP/2's compatibility API is used as if it were HTTP/1; `http/http2.ts` has the places where it differs. */
export function asHttp1(request: NodeRequest): IncomingMessage {
  return request as IncomingMessage;
}
