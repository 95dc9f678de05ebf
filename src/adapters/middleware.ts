/** What is called `(request, response, next)`, as Express, connect and polka have it, whatever tells it of the request. */
import type { IncomingMessage } from 'node:http';
import { sessionProperties } from '../http/accessor.ts';
import { asHttp1, type NodeRequest, type NodeResponse } from '../http/http2.ts';
import { warnIfShadowed } from '../http/missing.ts';
import { mount, type Next, sessionOf } from '../http/mount.ts';
import { giveProperties } from '../http/request-properties.ts';
import type { Session } from '../session/bag.ts';
import type { SessionData } from '../session/session-data.ts';
import type { RequestFacts } from '../session/state.ts';
import { type AdapterSessions, createAdapterSessions, type SessionOptions } from './adapter-sessions.ts';

export interface SessionMiddleware<Data extends object = SessionData> extends AdapterSessions<Data, NodeRequest> {
  (request: NodeRequest, response: NodeResponse, next: Next): void;
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
      mount(sessions, request, asHttp1(response), factsOf(request), next, next);
    },
    { sessions, of: (request: NodeRequest): Session<Data> => sessionOf(sessions, asHttp1(request)) },
  );
}

/** Gives each request `session`, `flash` and these other properties. */
export function equipWith(others: PropertyDescriptorMap): (request: IncomingMessage) => void {
  const properties = sessionProperties<IncomingMessage>(request => request);
  return giveProperties({ ...properties, ...others }, 'session', warnIfShadowed);
}
