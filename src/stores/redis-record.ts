/**
 * A record as one Redis string: what scripts compare and move stands at the front, in columns of fixed width; then come the
 * user on a line, the rest on a line, and the data as it is.
 *
 * A string and not a hash: with 1 kB of data it takes 1.5 kB of memory instead of 2.2, and half the time to read (2.0 µs
 * instead of 3.9 on the server, 15 instead of 22 in this process). A touch writes into the columns and leaves the data alone.
 */
import { randomBytes } from 'node:crypto';
import { MadeleineError } from '../errors.ts';
import type { SessionRecord } from '../session/record.ts';

export const LAYOUT = '1';
export const NUMBER_WIDTH = 16;

/** Where the numbers begin, after the layout. `listedUntil` says how long the user's index will know of the record. */
export const AT = { lastSeenAt: 1, expiresAt: 17, listedUntil: 33, version: 49, writes: 65 } as const;

/** The last writes of the last few writers: by them a script knows a write that a client sent twice. */
export const WRITER_WIDTH = 8;
const COUNT_WIDTH = 6;
export const WRITE_WIDTH: number = WRITER_WIDTH + COUNT_WIDTH;
export const WRITES_WIDTH: number = 4 * WRITE_WIDTH;

/** How many bytes all the columns take. They are ASCII. */
export const COLUMNS_WIDTH: number = AT.writes + WRITES_WIDTH;

/** A number as its column: of equal width, so that scripts may compare it as text. */
export function column(value: number): string {
  return String(value).padStart(NUMBER_WIDTH, '0');
}

/** Names the writes of one store, so that one which comes twice is not taken for somebody else's. */
export function createWriter(): () => string {
  const writer = randomBytes(6).toString('base64url');
  let writes = 0;
  return () => writer + (writes++ % 36 ** COUNT_WIDTH).toString(36).padStart(COUNT_WIDTH, '0');
}

/** The user's line: JSON text, which holds no line break whatever the user id holds. */
export function userLine(userId: string | null): string {
  return JSON.stringify(userId);
}

/** What follows the columns: the user's line first. */
export function restOf(record: SessionRecord): string {
  const { userId, createdAt, authenticatedAt, remember, device, successor } = record;
  const others = JSON.stringify([createdAt, authenticatedAt, remember, device, successor]);
  return `${userLine(userId)}\n${others}\n${record.data}`;
}

/** @throws MadeleineError `ERR_STORE_INVALID` when the text has another layout than ours */
export function recordOf(text: string): SessionRecord {
  if (text[0] !== LAYOUT) throw otherLayout();
  const number = (at: number) => Number(text.slice(at, at + NUMBER_WIDTH));
  const userEnd = text.indexOf('\n', COLUMNS_WIDTH);
  const restEnd = text.indexOf('\n', userEnd + 1);
  const [createdAt, authenticatedAt, remember, device, successor] = JSON.parse(text.slice(userEnd + 1, restEnd));
  return {
    data: text.slice(restEnd + 1),
    version: number(AT.version),
    userId: JSON.parse(text.slice(COLUMNS_WIDTH, userEnd)),
    createdAt,
    authenticatedAt,
    lastSeenAt: number(AT.lastSeenAt),
    expiresAt: number(AT.expiresAt),
    remember,
    device,
    successor,
  };
}

function otherLayout(): MadeleineError {
  return new MadeleineError(
    'ERR_STORE_INVALID',
    'What Redis holds under the key of a session was not written by this madeleine.',
    'If a newer madeleine wrote it, update this one; if another program did, give redisStore a prefix of its own.',
  );
}
