/** What an application asks about all sessions, outside any request: whose there are, to end them, and how the store is. */
import { randomToken, sha256 } from '../crypto/token.ts';
import type { MadeleineError } from '../errors.ts';
import { checkOptions, invalidOption } from '../options.ts';
import type { Core } from './core.ts';
import { checkUserId } from './login-options.ts';
import { isLive } from './policy.ts';
import type { Device, SessionRecord } from './record.ts';
import { pagesOf } from './scan.ts';
import type { StoreAdmin } from './store.ts';
import { currentKey, endSession } from './succession.ts';

/** A session in a list: enough to recognise a device and to end its session, nothing that opens it. */
export interface SessionSummary {
  /** For `revoke`. */
  handle: string;
  /** Who is logged in; `null` for an anonymous visitor. */
  userId: string | null;
  createdAt: Date;
  authenticatedAt: Date | null;
  lastSeenAt: Date;
  expiresAt: Date;
  remember: boolean;
  device: Device | null;
}

/** Whether the store answers, and after how many milliseconds it did or was given up. */
export type StoreHealth =
  | { ok: true; milliseconds: number }
  | { ok: false; milliseconds: number; error: MadeleineError };

/** What can be asked about all sessions, outside a request. Every promise but that of `check` rejects when the store fails. */
export interface Administration {
  /** The live sessions of a user, the one used last first. @throws MadeleineError `ERR_OPTION_INVALID` for nobody's id, `ERR_STORE_NO_ADMIN` */
  list(userId: string | number): Promise<SessionSummary[]>;
  /**
   * All live sessions, in no promised order, page by page from the store: nothing is held but one page. One that is there
   * during the whole walk is seen exactly once. @throws MadeleineError `ERR_STORE_NO_ADMIN`
   */
  scan(): AsyncGenerator<SessionSummary, void, undefined>;
  /** Ends one session, by its handle. `false`: there was none. Check that it is the user's own, by `list`. */
  revoke(handle: string): Promise<boolean>;
  /** Ends all sessions of a user, save the one with the handle `except`; says how many. @throws MadeleineError as `list` does */
  revokeAll(userId: string | number, options?: { except?: string | null | undefined }): Promise<number>;
  /** Reads from the store and says how that went. Never rejects; takes at most `storeTimeout`. */
  check(): Promise<StoreHealth>;
}

const HANDLE = /^[\w-]{43}$/;
const HANDLES = 'Give the handle that list() and session.about have.';

export function administer(core: Core): Administration {
  const { store, policy, clock } = core;
  const isShown = (record: SessionRecord) => record.successor === null && isLive(record, clock(), policy);

  return {
    async list(userId) {
      const user = checkUserId(userId, 'list');
      const records = await store.admin('byUser', admin => admin.byUser(user));
      return records
        .filter(([, record]) => isShown(record))
        .sort(([, a], [, b]) => b.lastSeenAt - a.lastSeenAt)
        .map(([handle, record]) => summary(handle, record));
    },

    async *scan() {
      const page: StoreAdmin['page'] = (cursor, limit) => store.admin('page', admin => admin.page(cursor, limit));
      for await (const { entries } of pagesOf({ page })) {
        for (const [handle, record] of entries) if (isShown(record)) yield summary(handle, record);
      }
    },

    async revoke(handle) {
      return typeof handle === 'string' && HANDLE.test(handle) && endSession(core, handle);
    },

    async revokeAll(userId, options = {}) {
      const user = checkUserId(userId, 'revokeAll');
      // A slip of the pen here would end the session that was to be spared.
      const { except } = checkOptions(options, ['except'], 'revokeAll');
      if (typeof (except ?? '') !== 'string') throw invalidOption('except', 'is not a handle', HANDLES);
      const found = await store.admin('byUser', admin => admin.byUser(user));
      const kept = typeof except === 'string' ? await currentKey(core, except) : undefined;
      const deleted = await store.admin('deleteByUser', admin => admin.deleteByUser(user, kept));
      // If an id was rotated at that moment, its session may be under a key that was not looked at: the key found before leads to it.
      const ended = await Promise.all(found.map(([key]) => endSession(core, key, kept)));
      return deleted + ended.filter(Boolean).length;
    },

    async check() {
      const begun = performance.now();
      try {
        // A well-formed key that no session has.
        await store.read(sha256(randomToken()));
        return { ok: true, milliseconds: performance.now() - begun };
      } catch (error) {
        return { ok: false, milliseconds: performance.now() - begun, error: error as MadeleineError };
      }
    },
  };
}

function summary(handle: string, record: SessionRecord): SessionSummary {
  return {
    handle,
    userId: record.userId,
    createdAt: new Date(record.createdAt),
    authenticatedAt: record.authenticatedAt === null ? null : new Date(record.authenticatedAt),
    lastSeenAt: new Date(record.lastSeenAt),
    expiresAt: new Date(record.expiresAt),
    remember: record.remember,
    device: record.device,
  };
}
