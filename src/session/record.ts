/** Where a session was begun: what its owner sees under "your devices". Both are claims of the client, not proofs. */
export interface Device {
  /** The User-Agent field, cut to 256 characters. */
  userAgent?: string;
  /** The client's address as the server's proxy setting gives it. */
  address?: string;
}

/** What a store keeps of one session. All times are milliseconds since 1970 by the injected clock. */
export interface SessionRecord {
  /** JSON text of the data. The store never looks inside. */
  data: string;
  /** Another with every `replace`, and higher: `nextVersion`. A store compares it and gives it no meaning. */
  version: number;
  /** Who is logged in; `null` for an anonymous visitor. */
  userId: string | null;
  createdAt: number;
  /** When the person last proved who they are; `null` for an anonymous visitor. */
  authenticatedAt: number | null;
  lastSeenAt: number;
  /** From this moment on the record may be collected as garbage. */
  expiresAt: number;
  /** True when the login was to be remembered: a persistent cookie and the longer lifetime. */
  remember: boolean;
  device: Device | null;
  /** Set on a tombstone only: the key of the session that took this one's place when its id changed. */
  successor: string | null;
}

/** Whether what a store gave back has the form of a record: other programs may write to the same place. */
export function isSessionRecord(value: SessionRecord | null): value is SessionRecord {
  return (
    value !== null &&
    typeof value === 'object' &&
    typeof value.data === 'string' &&
    Number.isSafeInteger(value.version) &&
    Number.isSafeInteger(value.createdAt) &&
    Number.isSafeInteger(value.lastSeenAt) &&
    Number.isSafeInteger(value.expiresAt) &&
    typeof value.remember === 'boolean' &&
    (value.authenticatedAt === null || Number.isSafeInteger(value.authenticatedAt)) &&
    (value.userId === null || typeof value.userId === 'string') &&
    (value.successor === null || typeof value.successor === 'string')
  );
}

/** So that the version of a session that is written 33 million times is still a safe integer. */
const LONGEST_STEP = 2 ** 28;

/** By a step of random length, so that a write has a version that nobody else's has: see `isSameWrite`. */
export function nextVersion(version: number): number {
  return version + 1 + Math.floor(Math.random() * LONGEST_STEP);
}

/**
 * Whether the record that stands in the way of a write is its own doing: a driver that sends a command again when a
 * connection breaks is answered by what its first sending did. Somebody else's write has another version.
 */
export function isSameWrite(current: SessionRecord | null, written: SessionRecord): boolean {
  return current !== null && current.version === written.version && current.data === written.data;
}

/** A record of its own, for who may change it. Field by field: in the hot path of every read it takes two thirds of the time of a spread. */
export function copyRecord(record: SessionRecord): SessionRecord {
  return {
    data: record.data,
    version: record.version,
    userId: record.userId,
    createdAt: record.createdAt,
    authenticatedAt: record.authenticatedAt,
    lastSeenAt: record.lastSeenAt,
    expiresAt: record.expiresAt,
    remember: record.remember,
    device: record.device && { ...record.device },
    successor: record.successor,
  };
}
