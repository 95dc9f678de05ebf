import { createHmac } from 'node:crypto';
import { constantTimeEqual } from './token.ts';

/** The value that one of the keys signed, or `false`. */
export function unsignExpress(signed: string, secrets: readonly string[]): string | false {
  const dot = signed.lastIndexOf('.');
  if (dot < 0) return false;
  const value = signed.slice(0, dot);
  const mac = signed.slice(dot + 1);
  return secrets.some(secret => constantTimeEqual(expressMac(value, secret), mac)) ? value : false;
}

/** The signature that Express users have: HMAC-SHA-256 in base64 without padding, after a dot (as cookie-signature has it). */
function expressMac(value: string, secret: string): string {
  return createHmac('sha256', secret).update(value).digest('base64').replace(/=+$/, '');
}

/** Our own signatures: HMAC-SHA-256 by derived keys, 43 characters of base64url. */
export interface Signer {
  /** The signature by the first key. */
  sign(text: string): string;
  /** Which key made this signature: its index, or -1 for none of them. */
  verify(text: string, signature: string): number;
}

export function createSigner(keys: readonly Buffer[]): Signer {
  const mac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest('base64url');
  return {
    sign: text => mac(keys[0] as Buffer, text),
    verify: (text, signature) => keys.findIndex(key => constantTimeEqual(mac(key, text), signature)),
  };
}
