/** What an adapter's author gives to the adapter suite, and what the suite gives back. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MaybePromise } from '../maybe-promise.ts';
import type { SessionsOptions } from '../session/options.ts';
import type { Sessions } from '../session/sessions.ts';
import type { TestProtocol } from './client.ts';

/** One request, as the suite's application sees it. */
export interface AdapterRequest {
  /** Path and query. */
  readonly url: string;
  /** The session, by the adapter's usual name; asked for only when the application wants it. */
  session(): object;
}

/** By Node's own objects. */
export type NodeWay = (request: IncomingMessage, response: ServerResponse) => void;

/** What the application answers: in the framework's usual manner, by a way of the adapter's own, or by Node's objects. */
export type AdapterAnswer =
  | { status: number; headers: Record<string, string | string[]>; body: string }
  | { way: string }
  | { node: NodeWay };

export interface AdapterServerOptions {
  /** For the adapter's `session()`; `null`: without it, to compare with the bare framework. */
  session: SessionsOptions | null;
  /** The application: every request is handed to it. What it throws is for the framework's own error handling. */
  handle(request: AdapterRequest): MaybePromise<AdapterAnswer>;
}

export interface AdapterServer {
  /** Without a slash at the end. */
  url: string;
  /** The adapter's `sessions`; `undefined` without sessions. */
  sessions: Sessions | undefined;
  close(): MaybePromise<void>;
}

export interface AdapterConformanceOptions {
  /** Names the adapter in the test report. */
  name: string;
  /**
   * Serves the application on a free port. Where the path begins with one of `GUARDED_PATHS`, a guard stands before it:
   * `requireLogin()`, `requireUser(id => id === 'ada')`, `requireRecentLogin('10m')`.
   */
  serve(options: AdapterServerOptions): Promise<AdapterServer>;
  /** The framework's ways to answer, by the names under which `serve` knows them. */
  ways: readonly string[];
  /** Whether `{ node }` answers can be given: then everything about the gate before a Node response is checked too. */
  node: boolean;
  /** How to ask the server. Default `'http1'`. */
  protocol?: TestProtocol;
}

export const GUARDED_PATHS = {
  requireLogin: '/members',
  requireUser: '/admins',
  requireRecentLogin: '/recent',
} as const;
