/**
 * A session as the values of one cookie or two. Sealed are the id, the record's fields as a JSON array, a line feed, and the
 * data as it is. The first cookie says how many there are, `1.` or `2.`, before the sealed text; the second holds what the
 * first has no room for. The seal is over all of it, so that no part fits another.
 */
import { LARGEST_COOKIE } from '../cookie/serialize.ts';
import type { Keyring } from '../crypto/keyring.ts';
import { createSealer, SEAL_BYTES } from '../crypto/seal.ts';
import { MadeleineError } from '../errors.ts';
import type { SessionRecord } from '../session/record.ts';

export interface SealedSession {
  readonly id: string;
  readonly record: SessionRecord;
  /** Which key opened it. */
  readonly keyIndex: number;
}

export interface SealedText {
  /** The name of the second cookie. */
  readonly second: string;
  /** The values, one or two. */
  close(id: string, record: SessionRecord): [first: string, second?: string];
  /** The session in a value of the first cookie and the values sent for the second; `null` whatever may be wrong with it. */
  open(first: string, seconds: readonly string[]): SealedSession | null;
  /** @throws MadeleineError `ERR_DATA_TOO_LARGE` for a record that the cookies cannot hold */
  check(record: SessionRecord): void;
}

/**
 * The most bytes of both cookies, names and values. Many servers and proxies refuse a request whose Cookie field is larger
 * than 8 KiB, and would do so until the browser forgets it; 1 KiB is left for other cookies.
 */
const LARGEST_TOTAL = 7 * 1024;
const COUNT = '1.'.length;
const ID_LENGTH = 43;

/** @param name the first cookie's full name: no cookie opens under another, nor one of an instance with another name */
export function createSealedText(keyring: Keyring, name: string): SealedText {
  const context = `session sealed ${name}`;
  const sealer = createSealer(keyring.derive(context));
  const second = `${name}.2`;
  const firstRoom = LARGEST_COOKIE - name.length - COUNT;
  const room = LARGEST_TOTAL - name.length - COUNT - second.length;

  /** The whole sealed text, or `null` for parts that we never write: nothing of them is decoded. */
  function join(first: string, seconds: readonly string[]): string | null {
    if (first.startsWith('1.')) return first.length <= firstRoom + COUNT ? first.slice(COUNT) : null;
    if (!first.startsWith('2.') || first.length !== firstRoom + COUNT || seconds.length !== 1) return null;
    const sealed = first.slice(COUNT) + seconds[0];
    return sealed.length > firstRoom && sealed.length <= room ? sealed : null;
  }

  return {
    second,
    close(id, record) {
      const sealed = sealer.seal(toText(id, record), context);
      if (sealed.length <= firstRoom) return [`1.${sealed}`];
      return [`2.${sealed.slice(0, firstRoom)}`, sealed.slice(firstRoom)];
    },
    open(first, seconds) {
      const sealed = join(first, seconds);
      const opened = sealed === null ? null : sealer.open(sealed, context);
      return opened && fromText(opened.text, opened.keyIndex);
    },
    check(record) {
      const bytes = Buffer.byteLength(toText('x'.repeat(ID_LENGTH), record)) + SEAL_BYTES;
      if (Math.ceil((bytes * 4) / 3) <= room) return;
      throw new MadeleineError(
        'ERR_DATA_TOO_LARGE',
        `The session does not fit into its cookies, which hold ${LARGEST_TOTAL} bytes together.`,
        'Keep large things in a database and their id in the session, or keep sessions in a store on the server.',
      );
    },
  };
}

type Fields = [
  id: string,
  version: number,
  userId: string | null,
  createdAt: number,
  authenticatedAt: number | null,
  lastSeenAt: number,
  expiresAt: number,
  remember: boolean,
  device: SessionRecord['device'],
];

function toText(id: string, record: SessionRecord): string {
  const { version, userId, createdAt, authenticatedAt, lastSeenAt, expiresAt, remember, device } = record;
  const fields: Fields = [id, version, userId, createdAt, authenticatedAt, lastSeenAt, expiresAt, remember, device];
  return `${JSON.stringify(fields)}\n${record.data}`;
}

function fromText(text: string, keyIndex: number): SealedSession | null {
  const end = text.indexOf('\n');
  try {
    const fields = JSON.parse(text.slice(0, end)) as Fields;
    const [id, version, userId, createdAt, authenticatedAt, lastSeenAt, expiresAt, remember, device] = fields;
    const times = { createdAt, authenticatedAt, lastSeenAt, expiresAt };
    const record = { data: text.slice(end + 1), version, userId, ...times, remember, device, successor: null };
    return { id, record, keyIndex };
  } catch {
    // Sealed by us, but not by this version of us.
    return null;
  }
}
