// The conformance suite itself under test: a store with any of these faults is rejected, and no check is idle.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import type { Clock, SessionRecord, SessionStore, StoreAdmin } from 'madeleine';
import { memoryStore } from 'madeleine/memory';
import { createTestClock, storeChecks } from 'madeleine/testing';

type GoodStore = SessionStore & { admin: StoreAdmin };
type Changes = Partial<Omit<SessionStore, 'admin'>> & { admin?: Partial<StoreAdmin> };
/** What a fault changes in a good store. */
type Fault = (good: GoodStore, clock: Clock) => Changes;
type Pairs = Array<[string, SessionRecord]>;

const read = (store: SessionStore, key: string) => store.read(key) as SessionRecord | null;
const later = () => new Promise<void>(resolve => setImmediate(resolve));
const everything = (store: GoodStore) => (store.admin.page(null, 1e6) as { entries: Pairs }).entries;
const overwrite = (store: SessionStore, key: string, record: SessionRecord) => {
  store.delete(key);
  store.create(key, record);
};

/** Faults that stores have had, each as what it changes in a store that is right. */
const faults: Record<string, Fault> = {
  'read invents a record': good => ({ read: key => good.read(key) ?? ({ version: 0 } as SessionRecord) }),
  'read falls back to another spelling': good => ({ read: key => good.read(key) ?? good.read(key.toLowerCase()) }),
  'create overwrites': good => ({
    create(key, record) {
      overwrite(good, key, record);
      return true;
    },
  }),
  'create overwrites, and says that it did not': good => ({
    create(key, record) {
      if (good.create(key, record)) return true;
      overwrite(good, key, record);
      return false;
    },
  }),
  'create looks first and writes later': good => ({
    async create(key, record) {
      if (read(good, key)) return false;
      await later();
      overwrite(good, key, record);
      return true;
    },
  }),
  'create keeps the reference': () => keepsReferences(),
  'read gives the stored object away': () => keepsReferences({ copiesIn: true }),
  'admin gives the stored objects away': good => {
    const shared = new Map<string, SessionRecord>();
    const share = ([key, record]: [string, SessionRecord]): [string, SessionRecord] => {
      if (!shared.has(key)) shared.set(key, record);
      return [key, shared.get(key)!];
    };
    return {
      read: key => shared.get(key) ?? good.read(key),
      admin: { byUser: userId => (good.admin.byUser(userId) as Pairs).map(share) },
    };
  },
  'replace ignores the version': good => ({
    replace(key, record) {
      const current = read(good, key);
      return current ? good.replace(key, record, current.version) : { ok: false, current };
    },
  }),
  'replace takes an older version for good enough': good => ({
    replace(key, record, expected) {
      const current = read(good, key);
      return current && expected >= current.version
        ? good.replace(key, record, current.version)
        : { ok: false, current };
    },
  }),
  'replace makes what is not there': good => ({
    replace: (key, record, expected) => (good.create(key, record) ? { ok: true } : good.replace(key, record, expected)),
  }),
  'replace does not say what stands there': good => ({
    replace: (key, record, expected) => {
      const replaced = good.replace(key, record, expected) as { ok: boolean };
      return replaced.ok ? { ok: true } : { ok: false, current: null };
    },
  }),
  'replace looks first and writes later': good => ({
    async replace(key, record, expected) {
      const current = read(good, key);
      if (current?.version !== expected) return { ok: false, current };
      await later();
      overwrite(good, key, record);
      return { ok: true };
    },
  }),
  'replace never shortens a life': good => ({
    replace(key, record, expected) {
      const expiresAt = Math.max(record.expiresAt, read(good, key)?.expiresAt ?? 0);
      return good.replace(key, { ...record, expiresAt }, expected);
    },
  }),
  'replace forgets whose session it is': good => ({
    replace: (key, record, expected) =>
      good.replace(key, { ...record, userId: read(good, key)?.userId ?? null }, expected),
  }),
  'replace keeps one field as it was': good => ({
    replace: (key, record, expected) =>
      good.replace(key, { ...record, successor: read(good, key)?.successor ?? null }, expected),
  }),
  'touch brings back': good => ({
    touch: (key, lastSeenAt, expiresAt) =>
      good.touch(key, lastSeenAt, expiresAt) || good.create(key, { lastSeenAt, expiresAt } as SessionRecord),
  }),
  'touch is blind: it answers true for nothing': good => ({
    touch(key, lastSeenAt, expiresAt) {
      good.touch(key, lastSeenAt, expiresAt);
      return true;
    },
  }),
  'touch shortens': good => ({
    touch(key, lastSeenAt, expiresAt) {
      const record = read(good, key);
      if (record) good.replace(key, { ...record, lastSeenAt, expiresAt }, record.version);
      return record !== null;
    },
  }),
  'touch moves both times or neither': good => ({
    touch(key, lastSeenAt, expiresAt) {
      const record = read(good, key);
      if (!record || expiresAt <= record.expiresAt) return record !== null;
      return good.touch(key, lastSeenAt, expiresAt);
    },
  }),
  'touch counts as a new version': good => ({
    touch(key, lastSeenAt, expiresAt) {
      const record = read(good, key);
      if (record) good.replace(key, { ...record, version: record.version + 1 }, record.version);
      return good.touch(key, lastSeenAt, expiresAt);
    },
  }),
  'touch does nothing': good => ({ touch: key => read(good, key) !== null }),
  'delete throws on absence': good => ({
    delete(key) {
      if (!good.delete(key)) throw new Error('not found');
      return true;
    },
  }),
  'delete always says that it did': good => ({
    delete(key) {
      good.delete(key);
      return true;
    },
  }),
  'delete only marks, and the key is lost for ever': good => {
    const marked = new Set<string>();
    return {
      read: key => (marked.has(key) ? null : good.read(key)),
      replace: (key, record, expected) =>
        marked.has(key) ? { ok: false, current: null } : good.replace(key, record, expected),
      touch: (key, lastSeenAt, expiresAt) => !marked.has(key) && good.touch(key, lastSeenAt, expiresAt),
      delete: key => read(good, key) !== null && !marked.has(key) && marked.add(key) !== undefined,
    };
  },
  'delete removes everything that begins so': good => ({
    delete(key) {
      for (const [other] of everything(good)) if (other.startsWith(key) && other !== key) good.delete(other);
      return good.delete(key);
    },
  }),
  'delete looks first and removes later': good => ({
    async delete(key) {
      const there = read(good, key) !== null;
      await later();
      good.delete(key);
      return there;
    },
  }),
  'keys fold case': good => withKeys(good, key => key.toLowerCase()),
  'keys are trimmed': good => withKeys(good, key => key.trimEnd()),
  'keys are normalised': good => withKeys(good, key => key.normalize('NFC')),
  'keys are cut at 255': good => withKeys(good, key => key.slice(0, 255)),
  'keys name properties': () => keepsReferences({ copiesIn: true, copiesOut: true, plainObject: true }),
  'data is cut at 64 KiB': good => withData(good, data => data.slice(0, 65_535)),
  'data is parsed and written again': good => withData(good, data => JSON.stringify(safeParse(data))),
  'data goes through Latin-1': good => withData(good, data => Buffer.from(data, 'latin1').toString('latin1')),
  'data is trimmed': good => withData(good, data => data.trim()),
  'the device is lost': good => withRecord(good, record => ({ ...record, device: null })),
  'an empty device becomes none': good =>
    withRecord(good, record => ({
      ...record,
      device: record.device && Object.keys(record.device).length > 0 ? record.device : null,
    })),
  'remember becomes a number': good =>
    withRecord(good, record => ({ ...record, remember: Number(record.remember) as never })),
  'an empty user id becomes none': good => withRecord(good, record => ({ ...record, userId: record.userId || null })),
  'times are kept in seconds': good =>
    withRecord(good, record => ({ ...record, lastSeenAt: Math.floor(record.lastSeenAt / 1000) * 1000 })),
  'times end in 2038': good =>
    withRecord(good, record => ({ ...record, expiresAt: Math.min(record.expiresAt, 2 ** 31 * 1000) })),
  'versions end at 32767': good =>
    withRecord(good, record => ({ ...record, version: Math.min(record.version, 32_767) })),
  'the expired are hidden, and in the way of the new': (good, clock) => ({
    read(key) {
      const record = read(good, key);
      return record && record.expiresAt > clock() ? record : null;
    },
  }),
  'a store that closes only once': () => {
    let closed = false;
    return {
      close() {
        if (closed) throw new Error('closed already');
        closed = true;
      },
    };
  },
  'it is not empty at the beginning': good => {
    good.create('left over', { ...RECORD });
    return {};
  },
  'byUser matches beginnings': good => ({
    admin: { byUser: userId => everything(good).filter(([, record]) => record.userId?.startsWith(userId)) },
  }),
  'byUser folds case': good => ({
    admin: {
      byUser: userId => everything(good).filter(([, record]) => record.userId?.toLowerCase() === userId.toLowerCase()),
    },
  }),
  'byUser leaves tombstones out': good => ({
    admin: { byUser: userId => (good.admin.byUser(userId) as Pairs).filter(([, record]) => record.successor === null) },
  }),
  'byUser remembers who was logged in once': good => {
    const first = new Map<string, string | null>();
    return {
      create(key, record) {
        if (!first.has(key)) first.set(key, record.userId);
        return good.create(key, record);
      },
      admin: { byUser: userId => everything(good).filter(([key]) => first.get(key) === userId) },
    };
  },
  'deleteByUser knows no exception': good => ({ admin: { deleteByUser: userId => good.admin.deleteByUser(userId) } }),
  'deleteByUser deletes the exception of somebody else': good => ({
    admin: {
      deleteByUser(userId, except) {
        const deleted = good.admin.deleteByUser(userId, except);
        if (except !== undefined && read(good, except)?.userId !== userId) good.delete(except);
        return deleted;
      },
    },
  }),
  'page counts places, which move': good => ({
    admin: {
      page(cursor, limit) {
        const from = Number(cursor ?? 0);
        const all = everything(good);
        const entries = all.slice(from, from + limit);
        return { entries, cursor: from + limit < all.length ? String(from + limit) : null };
      },
    },
  }),
  'page goes by the last change': good => {
    const changed = new Map<string, number>();
    let changes = 0;
    const mark = (key: string) => changed.set(key, ++changes);
    return {
      create: (key, record) => mark(key) && good.create(key, record),
      touch: (key, lastSeenAt, expiresAt) => Boolean(mark(key)) && good.touch(key, lastSeenAt, expiresAt),
      admin: {
        page(cursor, limit) {
          const at = ([key]: [string, SessionRecord]) => changed.get(key) ?? 0;
          const rest = everything(good).filter(entry => at(entry) > Number(cursor ?? 0));
          const entries = rest.sort((a, b) => at(a) - at(b)).slice(0, limit);
          return { entries, cursor: entries.length === limit ? String(at(entries.at(-1)!)) : null };
        },
      },
    };
  },
  'page goes beyond the limit': good => ({ admin: { page: (cursor, limit) => good.admin.page(cursor, limit + 1) } }),
  'page loses the last one': good => ({
    admin: {
      page(cursor, limit) {
        const page = good.admin.page(cursor, limit) as { entries: Pairs; cursor: string | null };
        return page.cursor === null ? { ...page, entries: page.entries.slice(0, -1) } : page;
      },
    },
  }),
  'count includes the expired': good => ({ admin: { count: () => everything(good).length } }),
  'count takes the very moment for life': good => ({ admin: { count: now => good.admin.count(now - 1) } }),
  'prune leaves the very moment': good => ({ admin: { prune: (now, limit) => good.admin.prune(now - 1, limit) } }),
  'prune knows no limit': good => ({ admin: { prune: now => good.admin.prune(now, 1e6) } }),
  'prune takes the living': good => ({ admin: { prune: (now, limit) => good.admin.prune(now + 7_200_000, limit) } }),
  'prune does not say how many': good => ({
    admin: {
      prune(now, limit) {
        good.admin.prune(now, limit);
        return 0;
      },
    },
  }),
};

const RECORD: SessionRecord = {
  ...{ data: '{}', version: 1, userId: null, createdAt: 0, authenticatedAt: null, lastSeenAt: 0, expiresAt: 9e15 },
  ...{ remember: false, device: null, successor: null },
};

function withRecord(good: SessionStore, change: (record: SessionRecord) => SessionRecord): Changes {
  return {
    create: (key, record) => good.create(key, change(record)),
    replace: (key, record, expected) => good.replace(key, change(record), expected),
  };
}

const withData = (good: SessionStore, change: (data: string) => string) =>
  withRecord(good, record => ({ ...record, data: change(record.data) }));

function withKeys(good: SessionStore, change: (key: string) => string): Changes {
  return {
    read: key => good.read(change(key)),
    create: (key, record) => good.create(change(key), record),
    replace: (key, record, expected) => good.replace(change(key), record, expected),
    touch: (key, lastSeenAt, expiresAt) => good.touch(change(key), lastSeenAt, expiresAt),
    delete: key => good.delete(change(key)),
  };
}

function safeParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A store of its own that is right but for what is not asked of it. */
function keepsReferences(right: { copiesIn?: boolean; copiesOut?: boolean; plainObject?: boolean } = {}): Changes {
  const records: Record<string, SessionRecord> = right.plainObject ? {} : Object.create(null);
  const copy = (record: SessionRecord, really = false) => (really ? structuredClone(record) : record);
  return {
    read: key => (records[key] ? copy(records[key], right.copiesOut) : null),
    create(key, record) {
      if (records[key]) return false;
      records[key] = copy(record, right.copiesIn);
      return true;
    },
    replace(key, record, expected) {
      const current = records[key] ?? null;
      if (current?.version !== expected) return { ok: false, current: current && copy(current, right.copiesOut) };
      records[key] = copy(record, right.copiesIn);
      return { ok: true };
    },
    touch(key, lastSeenAt, expiresAt) {
      const record = records[key];
      if (!record) return false;
      record.lastSeenAt = Math.max(record.lastSeenAt, lastSeenAt);
      record.expiresAt = Math.max(record.expiresAt, expiresAt);
      return true;
    },
    delete: key => records[key] !== undefined && delete records[key],
  };
}

/** The names of the checks that reject a store with this fault. */
async function rejecting(fault: Fault): Promise<string[]> {
  const names: string[] = [];
  for (const check of storeChecks) {
    const clock = createTestClock();
    const good = memoryStore({ clock });
    const { admin, ...methods } = fault(good, clock);
    const broken: SessionStore = {
      read: good.read.bind(good),
      create: good.create.bind(good),
      replace: good.replace.bind(good),
      touch: good.touch.bind(good),
      delete: good.delete.bind(good),
      ...methods,
      admin: { ...good.admin, ...admin },
    };
    await check.run(broken, clock).catch(() => names.push(check.name));
  }
  return names;
}

const idle = new Set(storeChecks.map(check => check.name));

test('the store that the faults are put into has none', async () => {
  assert.deepEqual(await rejecting(() => ({})), []);
});

for (const [name, fault] of Object.entries(faults)) {
  test(`rejected: ${name}`, async () => {
    const names = await rejecting(fault);
    for (const rejected of names) idle.delete(rejected);
    assert.notDeepEqual(names, []);
  });
}

test('every check has rejected something', () => {
  assert.deepEqual([...idle], []);
});

// Jest runs tests in a context of their own: what a driver written in C++ answers there is an array of another context.
test('arrays of another context are arrays', async () => {
  const abroad = runInNewContext('list => Array.from(list, entry => Array.from(entry))') as (list: Pairs) => Pairs;
  for (const check of storeChecks) {
    const clock = createTestClock();
    const good = memoryStore({ clock }) as GoodStore;
    const { byUser, page } = good.admin;
    good.admin.byUser = userId => abroad(byUser.call(good.admin, userId) as Pairs);
    good.admin.page = (cursor, limit) => {
      const { entries, ...rest } = page.call(good.admin, cursor, limit) as { entries: Pairs; cursor: string | null };
      return { ...rest, entries: abroad(entries) };
    };
    await check.run(good, clock);
  }
});
