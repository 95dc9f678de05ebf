/** The table of sessions in Postgres, made and brought up to date by whichever process comes first. */
import { MadeleineError } from '../errors.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { migrate, oldServer, versionComment, versionIn } from './sql-schema.ts';

/** The oldest that has everything the store uses; YugabyteDB counts as this one. */
const OLDEST = 11;

/**
 * Steps that were released are never changed: a new version is a new step. Each is one script, and so one transaction.
 *
 * Keys and user ids compare byte for byte, and their indexes outlive an update of the system's collations. `data` comes
 * last, so that a record's other columns are found without walking through its text.
 */
function steps(table: string, unlogged: boolean, bytewise: string): string[] {
  return [
    `CREATE ${unlogged ? 'UNLOGGED ' : ''}TABLE ${table} (
       key text ${bytewise} NOT NULL PRIMARY KEY,
       version bigint NOT NULL,
       user_id text ${bytewise},
       created_at bigint NOT NULL,
       authenticated_at bigint,
       last_seen_at bigint NOT NULL,
       expires_at bigint NOT NULL,
       remember boolean NOT NULL,
       device text,
       successor text,
       data text NOT NULL
     );
     CREATE INDEX ON ${table} (user_id) WHERE user_id IS NOT NULL;
     CREATE INDEX ON ${table} (expires_at);
     COMMENT ON TABLE ${table} IS '${versionComment(1)}';`,
  ];
}

interface Survey {
  one: string;
  server: string;
  number: string;
  encoding: string;
  present: boolean;
  comment: string | null;
}

/** @throws MadeleineError `ERR_STORE_INVALID` when the server or what is there cannot be used */
export async function makeTable(connection: PostgresConnection, table: string, unlogged: boolean): Promise<void> {
  const survey = async (): Promise<Survey> => {
    const { rows } = await look(table);
    return rows[0] as object as Survey;
  };
  const look = connection.prepare(
    `SELECT 1 AS one, version() AS server, current_setting('server_version_num') AS number,
       current_setting('server_encoding') AS encoding, to_regclass($1) IS NOT NULL AS present,
       obj_description(to_regclass($1), 'pg_class') AS comment`,
  );
  const found = await survey();
  if (String(found.one) !== '1') throw binaryAnswers();
  if (Number(found.number) < OLDEST * 10_000) throw oldServer(found.server, `Use PostgreSQL ${OLDEST} or later.`);
  if (found.encoding !== 'UTF8') throw wrongEncoding(found.encoding);
  // CockroachDB compares all text byte for byte, and makes no column with this collation.
  const bytewise = found.server.startsWith('CockroachDB') ? '' : 'COLLATE "C"';
  await migrate(
    steps(table, unlogged, bytewise),
    async () => {
      const { present, comment } = await survey();
      return present ? versionIn(comment ?? '') : 0;
    },
    connection.script,
  );
}

function binaryAnswers(): MadeleineError {
  return new MadeleineError(
    'ERR_STORE_INVALID',
    'This pool asks for binary answers, in which pg reads the times of sessions wrongly.',
    'Leave "binary" off, or give the store a pool of its own.',
  );
}

function wrongEncoding(encoding: string): MadeleineError {
  return new MadeleineError(
    'ERR_STORE_INVALID',
    `The database has the encoding ${encoding}, which cannot keep every text.`,
    "Make one WITH ENCODING 'UTF8'.",
  );
}
