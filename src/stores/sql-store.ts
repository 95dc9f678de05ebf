/** A store over an SQL server: what it does with the statements of the server's dialect. */
import { readTogether } from './read-together.ts';
import { once, type ServerStore } from './server-store.ts';
import { entriesOf, pageOf, type SessionRow, type SqlValue, valuesOf } from './sql-record.ts';
import { sqlTable } from './sql-table.ts';

/** Each takes its values in this order, those of a record in that of `COLUMNS`, and is one round trip. */
export interface SqlStatements<Result> {
  /** Reads so many keys. */
  read(size: number): (...keys: readonly string[]) => Promise<Result>;
  /** Changes no row where there is one under this key. */
  create(key: string, ...record: SqlValue[]): Promise<Result>;
  /** A record, the key, and the version that is replaced. */
  replace(...values: SqlValue[]): Promise<Result>;
  touch(lastSeenAt: number, expiresAt: number, key: string): Promise<Result>;
  delete(key: string): Promise<Result>;
  byUser(userId: string): Promise<Result>;
  deleteByUser(userId: string, except: string | null): Promise<Result>;
  page(after: string | null, limit: number): Promise<Result>;
  /** Answers with one row, and `live` in it. */
  count(now: number): Promise<Result>;
  prune(now: number, limit: number): Promise<Result>;
}

export interface SqlDialect<Result> {
  readonly statements: SqlStatements<Result>;
  rowsOf(result: Result): object[];
  /** How many rows a statement changed. */
  changedBy(result: Result): number;
  makeTable(): Promise<void>;
  /** The server's code for a table that is not there. */
  readonly noSuchTable: string;
}

/** @param opened the pool that the store opened; `null`: it was given one */
export function sqlStore<Result>(dialect: SqlDialect<Result>, opened: { end(): Promise<void> } | null): ServerStore {
  const { statements, rowsOf, changedBy, makeTable, noSuchTable } = dialect;
  const table = sqlTable(makeTable, noSuchTable);
  const select = (run: () => Promise<Result>) => table.run(run).then(result => rowsOf(result) as SessionRow[]);
  const change = (run: () => Promise<Result>) => table.run(run).then(changedBy);

  const read = readTogether(size => {
    const statement = statements.read(size);
    return keys => select(() => statement(...keys));
  });

  return {
    read,

    create: async (key, record) => (await change(() => statements.create(key, ...valuesOf(record)))) === 1,

    replace: (key, record, expected) =>
      change(() => statements.replace(...valuesOf(record), key, expected)).then(changed =>
        changed === 1 ? { ok: true } : read(key).then(current => ({ ok: false, current })),
      ),

    touch: async (key, lastSeenAt, expiresAt) =>
      (await change(() => statements.touch(lastSeenAt, expiresAt, key))) === 1,

    delete: async key => (await change(() => statements.delete(key))) === 1,

    admin: {
      byUser: async userId => entriesOf(await select(() => statements.byUser(userId))),
      deleteByUser: (userId, except) => change(() => statements.deleteByUser(userId, except ?? null)),
      page: async (cursor, limit) => pageOf(await select(() => statements.page(cursor, limit)), limit),
      async count(now) {
        const [row] = await select(() => statements.count(now));
        return Number((row as object as { live: number | string }).live);
      },
      prune: (now, limit) => change(() => statements.prune(now, limit)),
    },

    ready: table.ready,
    close: once(() => table.end(opened)).done,
  };
}
