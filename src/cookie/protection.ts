import { CLOCK_SKEW, type Clock } from '../clock.ts';
import { createKeyring, type Secret } from '../crypto/keyring.ts';
import { createSealer } from '../crypto/seal.ts';
import { createSigner } from '../crypto/signature.ts';
import { decodeValue } from './parse.ts';

export const PROTECTIONS = ['plain', 'signed', 'sealed'] as const;
export type Protection = (typeof PROTECTIONS)[number];

/** Turns a cookie's text into what is sent, before it is percent-encoded, and back; `null` for what is not genuine or too old. */
interface ProtectedText {
  close(text: string): string;
  open(sent: string): string | null;
}

/**
 * Signed: `1.<text in base64url>.<time>.<signature>`, the signature over all before it. Sealed: AES-256-GCM over time and
 * text. Keys are derived for this kind and this cookie alone (`context`: its name and purpose), so that no value fits another
 * cookie. The time of making is in base 36 milliseconds.
 *
 * @param lifetime milliseconds after which the value counts no more
 */
export function createProtection(
  protection: Protection,
  secret: Secret | undefined,
  context: string,
  lifetime: number,
  clock: Clock,
): ProtectedText {
  if (protection === 'plain') return { close: text => text, open: decodeValue };
  const keys = createKeyring(secret as Secret).derive(`cookie ${protection} ${context}`);
  const fresh = (time: string) => {
    const made = Number.parseInt(time, 36);
    return made <= clock() + CLOCK_SKEW && clock() < made + lifetime;
  };
  const now = () => clock().toString(36);

  if (protection === 'signed') {
    const signer = createSigner(keys);
    return {
      close(text) {
        const body = `1.${Buffer.from(text).toString('base64url')}.${now()}`;
        return `${body}.${signer.sign(body)}`;
      },
      open(sent) {
        const [, body, text, time, signature] = /^(1\.([\w-]*)\.([0-9a-z]{1,11}))\.([\w-]{43})$/.exec(sent) ?? [];
        // Nothing is decoded before the signature has been verified.
        if (body === undefined || signer.verify(body, signature as string) < 0 || !fresh(time as string)) return null;
        return Buffer.from(text as string, 'base64url').toString();
      },
    };
  }
  const sealer = createSealer(keys);
  return {
    close: text => sealer.seal(`${now()} ${text}`, context),
    open(sent) {
      const opened = sealer.open(sent, context)?.text;
      const space = opened?.indexOf(' ') ?? -1;
      return opened !== undefined && fresh(opened.slice(0, space)) ? opened.slice(space + 1) : null;
    },
  };
}
