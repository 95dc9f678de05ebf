// What the parts fill their stores with: sessions of 200 B, each told by its number alone, so that nobody has to hold a
// million keys to ask for one of them.
import { createHash } from 'node:crypto';
import { padded } from '../kinds.mjs';

const HOUR = 3_600_000;

/** The moment at which all of them began, an hour before they expire. No part waits for that: its clock is set. */
export const BEGAN = Date.UTC(2026, 0, 1);
export const EXPIRED = BEGAN + 2 * HOUR;

/** As long as the keys that the library makes of session ids. */
export const keyOf = number => createHash('sha256').update(String(number)).digest('base64url');

export const userOf = number => `user-${padded(number)}`;

const START = '{"visitor":"';
const END = `","note":"${'x'.repeat(200 - START.length - padded(0).length - '","note":""}'.length)}"}`;

/** JSON text of 200 B. */
export const dataOf = number => START + padded(number) + END;

/** What stands in Postgres for `dataOf(n)`. */
export const DATA_IN_SQL = `'${START}' || lpad(n::text, 10, '0') || '${END}'`;

/** @param userId null for an anonymous visitor */
export const recordOf = (number, userId) => ({
  // Copied, as text that was just read or written is: `+` alone would leave V8 a text in three pieces.
  ...{ data: Buffer.from(dataOf(number)).latin1Slice(), version: 1, userId, createdAt: BEGAN },
  ...{ authenticatedAt: userId && BEGAN, lastSeenAt: BEGAN, expiresAt: BEGAN + HOUR, remember: false },
  ...{ device: null, successor: null },
});
