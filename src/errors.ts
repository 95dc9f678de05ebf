/**
 * Every error that madeleine raises on purpose, by its code. Each code has a section in `docs/errors.md`.
 * Codes are stable: programs may compare them, prose may change.
 */
export type ErrorCode =
  // Wrong options: thrown when something is constructed or declared.
  | 'ERR_OPTION_UNKNOWN'
  | 'ERR_OPTION_INVALID'
  | 'ERR_OPTION_CONFLICT'
  | 'ERR_SECRET_MISSING'
  | 'ERR_SECRET_SHORT'
  | 'ERR_SECRET_PLACEHOLDER'
  | 'ERR_STORE_INVALID'
  | 'ERR_DRIVER_MISSING'
  | 'ERR_DRIVER_UNSUPPORTED'
  // Cookies that cannot be written.
  | 'ERR_COOKIE_NAME'
  | 'ERR_COOKIE_VALUE'
  | 'ERR_COOKIE_ATTRIBUTE'
  | 'ERR_COOKIE_PREFIX'
  | 'ERR_COOKIE_TOO_LARGE'
  | 'ERR_HEADERS_SENT'
  // Session data that cannot be kept as it is.
  | 'ERR_DATA_NOT_JSON'
  | 'ERR_DATA_TOO_LARGE'
  | 'ERR_DATA_KEY'
  // A session that cannot be opened, changed or saved.
  | 'ERR_SESSION_MISSING'
  | 'ERR_SESSION_ENDED'
  | 'ERR_SESSION_NAME_TWICE'
  | 'ERR_NO_RESPONSE'
  | 'ERR_NOT_A_REQUEST'
  | 'ERR_NOT_A_RESPONSE'
  | 'ERR_NOT_AN_ERROR'
  | 'ERR_CONFLICT'
  | 'ERR_UPDATE_TIMEOUT'
  | 'ERR_STORE_FAILED'
  | 'ERR_STORE_TIMEOUT'
  | 'ERR_STORE_NO_ADMIN'
  | 'ERR_HELD_TOO_LARGE';

/** The HTTP status that an error of this code means for the client; every other code is 500, a fault of the server. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  ERR_CONFLICT: 409,
  ERR_SESSION_ENDED: 409,
  ERR_STORE_FAILED: 503,
  ERR_STORE_TIMEOUT: 503,
  ERR_UPDATE_TIMEOUT: 503,
};

/**
 * What went wrong, under a stable code, and what to do about it.
 *
 * The message never holds a session id, a cookie value or session data, and a session's handle only where one has to be
 * looked for. `status` is the HTTP status that Express and others answer with when the error reaches them: 503 for a store
 * that fails, 409 for a conflict, otherwise 500.
 */
export class MadeleineError extends Error {
  override readonly name = 'MadeleineError';
  /** Stable code, described in `docs/errors.md`. */
  readonly code: ErrorCode;
  /** What to do about it, one sentence. */
  readonly remedy: string;
  /** HTTP status for the client. */
  readonly status: number;

  constructor(code: ErrorCode, problem: string, remedy: string, options?: { cause?: unknown }) {
    super(`${problem} ${remedy} (${code})`, options);
    this.code = code;
    this.remedy = remedy;
    this.status = STATUS[code] ?? 500;
  }

  /** `status` by its other name. NestJS believes an error's status only if it has both, and `expose`. */
  get statusCode(): number {
    return this.status;
  }

  /** `false`: the message is for the developer, and not to be sent to the client. */
  get expose(): boolean {
    return false;
  }
}
