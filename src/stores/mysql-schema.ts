/** The table of sessions in MySQL and MariaDB, made and brought up to date by whichever process comes first. */
import { MadeleineError } from '../errors.ts';
import type { Execute, Rows } from './mysql-connection.ts';
import { migrate, oldServer, versionComment, versionIn } from './sql-schema.ts';

/**
 * Steps that were released are never changed: a new version is a new step. Each is one statement, as these servers have no
 * transactions over what changes a schema.
 *
 * All text is kept as its UTF-8 bytes, so that no collation folds, trims or orders it, and no setting of a connection
 * converts it. 3072 bytes hold a key of 1024 characters, and are the most that InnoDB has an index for.
 */
function steps(table: string): string[] {
  return [
    `CREATE TABLE ${table} (
       \`key\` VARBINARY(3072) NOT NULL PRIMARY KEY,
       version BIGINT NOT NULL,
       user_id LONGBLOB,
       created_at BIGINT NOT NULL,
       authenticated_at BIGINT,
       last_seen_at BIGINT NOT NULL,
       expires_at BIGINT NOT NULL,
       remember TINYINT NOT NULL,
       device LONGBLOB,
       successor VARBINARY(3072),
       data LONGBLOB NOT NULL,
       INDEX (user_id(255)),
       INDEX (expires_at)
     ) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = '${versionComment(1)}'`,
  ];
}

interface Survey {
  server: string;
  autocommit: number;
  /** `null`: there is no such table, or nothing that the user may do with it. */
  comment: string | null;
}

/** @throws MadeleineError `ERR_STORE_INVALID` when the server or what is there cannot be used */
export async function makeTable(execute: Execute, table: string, quoted: string): Promise<void> {
  const survey = async (): Promise<Survey> => {
    const sql = `SELECT VERSION() AS server, @@autocommit AS autocommit,
      (SELECT table_comment FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?) AS comment`;
    const [row] = (await execute(sql, [table])) as Rows;
    return row as Survey;
  };
  const { server, autocommit } = await survey();
  if (isTooOld(server)) throw oldServer(server, 'Use MySQL 8.0, MariaDB 10.3, or later.');
  if (Number(autocommit) !== 1) throw noAutocommit();
  const readVersion = async () => {
    const { comment } = await survey();
    return comment === null ? 0 : versionIn(String(comment));
  };
  await migrate(steps(quoted), readVersion, execute);
}

function isTooOld(server: string): boolean {
  const [major = 0, minor = 0] = server.split('.').map(Number.parseFloat);
  return /mariadb/i.test(server) ? major < 10 || (major === 10 && minor < 3) : major < 8;
}

function noAutocommit(): MadeleineError {
  return new MadeleineError(
    'ERR_STORE_INVALID',
    'The connections of this pool do not commit by themselves, so nothing written would be kept.',
    'Leave autocommit on, or give the store a pool of its own.',
  );
}
