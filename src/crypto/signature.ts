import { createHmac, type Hmac } from './hmac.ts';
import { constantTimeEqual } from './token.ts';

/**
 * Reads what Express users have signed: HMAC-SHA-256 in base64 without padding, after a dot (as cookie-signature has it).
 *
 * @returns gives the value that one of the keys signed, or `false`
 */
export function createExpressVerifier(secrets: readonly string[]): (signed: string) => string | false {
  const macs = secrets.map(createHmac);
  return signed => {
    const dot = signed.lastIndexOf('.');
    if (dot < 0) return false;
    const value = signed.slice(0, dot);
    const signature = signed.slice(dot + 1);
    // 32 bytes are 44 characters, of which the last is padding.
    const verifies = (mac: Hmac) => constantTimeEqual(mac(value, 'base64').slice(0, -1), signature);
    return macs.some(verifies) ? value : false;
  };
}

/** Our own signatures: HMAC-SHA-256 by derived keys, 43 characters of base64url. */
export interface Signer {
  /** The signature by the first key. */
  sign(text: string): string;
  /** Which key made this signature: its index, or -1 for none of them. */
  verify(text: string, signature: string): number;
}

export function createSigner(keys: readonly Buffer[]): Signer {
  const macs = keys.map(createHmac);
  const first = macs[0] as Hmac;
  return {
    sign: text => first(text, 'base64url'),
    verify: (text, signature) => macs.findIndex(mac => constantTimeEqual(mac(text, 'base64url'), signature)),
  };
}
