/** What the store checks feed a store with. */
import assert from 'node:assert/strict';
import type { SessionRecord } from '../session/record.ts';
import type { SessionStore, StoreAdmin } from '../session/store.ts';
import type { TestClock } from './clock.ts';

/** One statement about a store, and the code that finds out whether it is true. */
export interface StoreCheck {
  /** The statement, as it stands in the test report. */
  readonly name: string;
  /** Whether it is about the admin part, which a store need not have. */
  readonly admin: boolean;
  /** Rejects when the statement is false. The store must be empty, and tell the time by the clock. */
  run(store: SessionStore, clock: TestClock): Promise<void>;
}

/** @param checks by their names @param admin whether they are about the admin part */
export function namedChecks(checks: Record<string, StoreCheck['run']>, admin: boolean): StoreCheck[] {
  return Object.entries(checks).map(([name, run]) => ({ name, admin, run }));
}

export const HOUR = 3_600_000;

/** A live record of an anonymous visitor, changed as asked. */
export function sample(clock: TestClock, changes: Partial<SessionRecord> = {}): SessionRecord {
  const now = clock();
  return {
    data: '{"cart":["madeleine"]}',
    version: 1,
    userId: null,
    createdAt: now,
    authenticatedAt: null,
    lastSeenAt: now,
    expiresAt: now + HOUR,
    remember: false,
    device: null,
    successor: null,
    ...changes,
  };
}

/** The records whose every column differs from `sample`, or is at an edge of what it may be. */
export function variedSamples(clock: TestClock): SessionRecord[] {
  const now = clock();
  const century = 100 * 365 * 24 * HOUR;
  return [
    sample(clock, { userId: 'user-1', authenticatedAt: now - 1, createdAt: now - 2, remember: true }),
    sample(clock, { lastSeenAt: now + 1, expiresAt: now + century, version: Number.MAX_SAFE_INTEGER }),
    sample(clock, { device: {} }),
    sample(clock, { device: { userAgent: 'Mozilla/5.0 (Ordinateur; "guillemets") É 🍰' } }),
    sample(clock, { device: { userAgent: '', address: '2001:db8::1' } }),
    sample(clock, { device: { userAgent: 'É'.repeat(256) } }),
    sample(clock, { successor: 'V3JpdHRlbi1pbi1hLWNvcmstbGluZWQtcm9vbS0xOTEz', userId: '' }),
    sample(clock, { data: '' }),
  ];
}

/**
 * Text that breaks a store which builds commands out of text, folds case, normalises, trims, or cuts short. The library's
 * own keys are 43 characters of base64url; a store takes any text of 1 to 1024 characters that is well-formed Unicode and
 * holds no NUL. User ids are the application's, so they may be any of this.
 */
export const HOSTILE_TEXTS: readonly string[] = [
  ...["'; DROP TABLE madeleine_sessions; --", "' OR '1'='1", '"', '\\', '\\x27', '`'],
  ...['$1', '?', ':key', '@key', '{key}', '%', '_', '*', 'k*', '[a-z]', 'a:b', 'a/b', 'a|b', 'a,b', '../../etc/passwd'],
  ...['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'null', 'undefined', 'NaN', 'true'],
  ...['0', '1', '01', '1.0', '\r\nDEL x\r\n', '\t', ' ', 'a b', 'a', 'A', 'a ', ' a', 'a\u200b', '\ufffd'],
  ...['ß', 'ss', 'i', 'İ', 'ı', '\u00e9', 'e\u0301', 'ﬁ', 'fi', '🍰', '🎂', '日本'],
  ...['x'.repeat(1024), `${'x'.repeat(1023)}y`],
];

/** Data as the library may have it: JSON text of any length and language. */
export const HOSTILE_DATA: readonly string[] = [
  JSON.stringify({ nul: '\u0000', escape: '\u001b', lone: '\ud800', separators: '\u2028\u2029', bom: '\ufeff' }),
  JSON.stringify({ quotes: `'"\`$$;--/*`, backslash: '\\', lines: '\r\n\n\r', rare: '\u007f\u0080\uffff' }),
  JSON.stringify({ languages: 'madeleine マドレーヌ مادلين 🍰👩‍🍳 e\u0301\u00e9', __proto__: { polluted: true } }),
  '{"__proto__":{"polluted":true},"constructor":{"prototype":{}}}',
  '{"spaces"  :  1,"order":2,"b":1,"a":2,"number":1e400,"float":1.0}',
  ' {"trailing":true}\n ',
  'not json at all',
];

type Entries = Array<[key: string, record: SessionRecord]>;

/** Jest runs tests in a context of their own, for which a driver's arrays, and what is mapped from them, are no equals of ours. */
function ourOwn(entries: Entries): Entries {
  assert.ok(Array.isArray(entries), 'entries are an array');
  return Array.from(entries, entry => Array.from(entry) as Entries[number]);
}

/** The admin part of a store that is known to have one. */
export function adminOf(store: SessionStore): StoreAdmin {
  const { admin } = store;
  assert.ok(admin, 'the store has no admin part');
  return {
    byUser: async userId => ourOwn(await admin.byUser(userId)),
    deleteByUser: (userId, except) => admin.deleteByUser(userId, except),
    async page(cursor, limit) {
      const page = await admin.page(cursor, limit);
      return { ...page, entries: ourOwn(page.entries) };
    },
    count: now => admin.count(now),
    prune: (now, limit) => admin.prune(now, limit),
  };
}

/** Every entry of the store, by walking through its pages. */
export async function everything(store: SessionStore, limit = 7): Promise<Array<[string, SessionRecord]>> {
  const all: Array<[string, SessionRecord]> = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<StoreAdmin['page']>> = await adminOf(store).page(cursor, limit);
    assert.ok(page.entries.length <= limit, `a page of ${limit} holds ${page.entries.length} entries`);
    all.push(...page.entries);
    assert.ok(all.length <= 10_000, 'the walk does not end');
    cursor = page.cursor;
  } while (cursor !== null);
  return all;
}
