import { hkdfSync } from 'node:crypto';
import { MadeleineError } from '../errors.ts';

/** One key, or several while they change: the first signs and seals, all verify and open. */
export type Secret = string | readonly string[];

export interface Keyring {
  /** The keys as given, for the signature that Express users have. */
  readonly secrets: readonly string[];
  /**
   * A key of 32 bytes from each secret, for this use alone: what one use's key made, no other use's key accepts.
   *
   * @throws MadeleineError `ERR_COOKIE_NAME` for a purpose of a kilobyte: only a cookie's name can make it so long
   */
  derive(purpose: string): Buffer[];
}

const SHORTEST_SECRET = 32;
/** What templates and tutorials hold in place of a key. Each of these is so long that a random key does not hold it by chance. */
const PLACEHOLDER =
  /change[-_ ]?(?:me|this)|replace[-_ ]?(?:me|this|with)|your[-_ ](?:[a-z]+[-_ ])?secret|keyboard[-_ ]?cat|placeholder/i;
/** The longest that OpenSSL takes. */
const LONGEST_INFO = 1024;
const MAKE_ONE = `Make one with: node -e "console.log(require('crypto').randomBytes(32).toString('base64url'))"`;

/**
 * Checks the keys and derives others from them (HKDF-SHA-256, RFC 5869).
 *
 * @throws MadeleineError `ERR_SECRET_MISSING`; when NODE_ENV is `production` (otherwise a warning) `ERR_SECRET_SHORT` for a key
 * under 32 bytes, `ERR_SECRET_PLACEHOLDER` for one that everybody knows
 */
export function createKeyring(secret: Secret): Keyring {
  const secrets = [secret].flat();
  if (secrets.length === 0 || secrets.some(one => typeof one !== 'string' || one === '')) {
    throw new MadeleineError(
      'ERR_SECRET_MISSING',
      'Option "secret" is missing, empty or not text.',
      `Give one key as text, or a list; of an environment variable that is not set, process.env has nothing. ${MAKE_ONE}`,
    );
  }
  for (const [index, one] of secrets.entries())
    refuseOrWarn(one, secrets.length === 1 ? 'Option "secret"' : `Key ${index + 1} of option "secret"`);
  return {
    secrets,
    derive(purpose) {
      const info = `madeleine/1/${purpose}`;
      if (Buffer.byteLength(info) > LONGEST_INFO) throw nameTooLong();
      return secrets.map(one => Buffer.from(hkdfSync('sha256', one, '', info, 32)));
    },
  };
}

function refuseOrWarn(secret: string, which: string): void {
  const code = weaknessOf(secret);
  if (code === null) return;
  const what = code === 'ERR_SECRET_SHORT' ? `is shorter than ${SHORTEST_SECRET} bytes` : 'is a placeholder';
  const problem = `${which} ${what}, and can be guessed.`;
  if (process.env['NODE_ENV'] === 'production') throw new MadeleineError(code, problem, MAKE_ONE);
  const warning = `${problem} In production this is an error. ${MAKE_ONE}`;
  process.emitWarning(warning, { type: 'MadeleineWarning', code });
}

function weaknessOf(secret: string): 'ERR_SECRET_SHORT' | 'ERR_SECRET_PLACEHOLDER' | null {
  if (Buffer.byteLength(secret) < SHORTEST_SECRET) return 'ERR_SECRET_SHORT';
  return PLACEHOLDER.test(secret) ? 'ERR_SECRET_PLACEHOLDER' : null;
}

function nameTooLong(): MadeleineError {
  return new MadeleineError(
    'ERR_COOKIE_NAME',
    'A cookie has a name of about a kilobyte, too long to derive a key for it.',
    'Give it a shorter one: it is sent with every request.',
  );
}
