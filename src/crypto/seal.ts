import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/**
 * Seals text so that nobody without the key can read or change it: AES-256-GCM with a fresh random nonce of 96 bits.
 * As base64url: one byte of version, the nonce, the ciphertext, the tag of 16 bytes. Version and context are authenticated.
 */
export interface Sealer {
  /** @param context what the text is for; it opens under the same context only */
  seal(text: string, context: string): string;
  /** The text and the index of the key that opened it; `null` whatever may be wrong with it. */
  open(sealed: string, context: string): { text: string; keyIndex: number } | null;
}

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** What a seal adds to the bytes of the text, before base64url. */
export const SEAL_BYTES: number = 1 + NONCE_BYTES + TAG_BYTES;

export function createSealer(keys: readonly Buffer[]): Sealer {
  const authenticated = (context: string) => Buffer.concat([Buffer.of(VERSION), Buffer.from(context)]);

  function openWith(key: Buffer, box: Buffer, context: string): string | null {
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(1, 1 + NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(authenticated(context));
      decipher.setAuthTag(box.subarray(-TAG_BYTES));
      const ciphertext = box.subarray(1 + NONCE_BYTES, -TAG_BYTES);
      return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString();
    } catch {
      return null;
    }
  }

  return {
    seal(text, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', keys[0] as Buffer, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(authenticated(context));
      const ciphertext = [cipher.update(text, 'utf8'), cipher.final()];
      return Buffer.concat([Buffer.of(VERSION), nonce, ...ciphertext, cipher.getAuthTag()]).toString('base64url');
    },
    open(sealed, context) {
      const box = /^[\w-]+$/.test(sealed) ? Buffer.from(sealed, 'base64url') : Buffer.alloc(0);
      // Base64url has several spellings of one value; only the one that we write is accepted.
      if (box[0] !== VERSION || box.length < SEAL_BYTES || box.toString('base64url') !== sealed) return null;
      for (const [keyIndex, key] of keys.entries()) {
        const text = openWith(key, box, context);
        if (text !== null) return { text, keyIndex };
      }
      return null;
    },
  };
}
