/** How the stores over SQL keep a record: a column for each field, the device as JSON text. */
import type { Device, SessionRecord } from '../session/record.ts';
import type { Page } from '../session/store.ts';

export type SqlValue = string | number | null;

/** Whole numbers come as drivers give what has 64 bits, text as itself or as its bytes. */
type SqlInteger = number | bigint | string;
type SqlText = string | Buffer;

export interface SessionRow {
  key: SqlText;
  version: SqlInteger;
  user_id: SqlText | null;
  created_at: SqlInteger;
  authenticated_at: SqlInteger | null;
  last_seen_at: SqlInteger;
  expires_at: SqlInteger;
  remember: boolean | SqlInteger;
  device: SqlText | null;
  successor: SqlText | null;
  data: SqlText;
}

/** The columns of a record, in the order of `valuesOf`: first the version, last the data. */
export const COLUMNS: readonly string[] = [
  ...['version', 'user_id', 'created_at', 'authenticated_at', 'last_seen_at', 'expires_at'],
  ...['remember', 'device', 'successor', 'data'],
];

export function valuesOf(record: SessionRecord): SqlValue[] {
  return [
    record.version,
    record.userId,
    record.createdAt,
    record.authenticatedAt,
    record.lastSeenAt,
    record.expiresAt,
    record.remember ? 1 : 0,
    record.device && JSON.stringify(record.device),
    record.successor,
    record.data,
  ];
}

export function recordOf(row: SessionRow): SessionRecord {
  return {
    data: String(row.data),
    version: Number(row.version),
    userId: row.user_id === null ? null : String(row.user_id),
    createdAt: Number(row.created_at),
    authenticatedAt: row.authenticated_at === null ? null : Number(row.authenticated_at),
    lastSeenAt: Number(row.last_seen_at),
    expiresAt: Number(row.expires_at),
    remember: Boolean(Number(row.remember)),
    device: deviceOf(row.device),
    successor: row.successor === null ? null : String(row.successor),
  };
}

export function entriesOf(rows: readonly SessionRow[]): Page['entries'] {
  return rows.map(row => [String(row.key), recordOf(row)]);
}

/** A page of at most `limit` rows in the order of the keys: the cursor is the last key seen. */
export function pageOf(rows: readonly SessionRow[], limit: number): Page {
  const entries = entriesOf(rows);
  return { entries, cursor: entries[limit - 1]?.[0] ?? null };
}

/** A device is shown to the session's owner and decides nothing: one that cannot be read is no reason to fail. */
function deviceOf(text: SqlText | null): Device | null {
  if (text === null) return null;
  try {
    return JSON.parse(String(text)) as Device | null;
  } catch {
    return null;
  }
}
