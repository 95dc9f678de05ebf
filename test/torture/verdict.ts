// What can be wrong with a history.
import type { Entry } from './history.ts';

export type Kind =
  /** A write that was acknowledged is not there, and does not turn up later either. */
  | 'lost write'
  /** A write that was acknowledged was not seen by a request that began afterwards; a later one did see it. */
  | 'missed own write'
  /** A session that had ended was seen again. */
  | 'ended session came back'
  /** A session is gone that nobody ended. */
  | 'session vanished'
  /** A request with an id that a login had replaced was given a cookie, which takes the place of the login's. */
  | 'login undone'
  /** Something was seen that nobody had written there, or that was refused, or twice. */
  | 'wrong data'
  /** An answer that the application never gives. */
  | 'unexpected answer';

export interface Violation {
  kind: Kind;
  what: string;
  /** What has to do with it, in the order of their beginnings. */
  entries: Entry[];
}

export type Report = (kind: Kind, what: string, ...entries: Entry[]) => void;
