/** Flash messages, as connect-flash has them: kept in the session under `flash` until they are shown. */
import { format } from 'node:util';
import { MadeleineError } from '../errors.ts';

/** Messages by their type. */
export type FlashMessages = Record<string, string[]>;

export interface Flash {
  /** Takes all messages of all types: they are gone afterwards. */
  (): FlashMessages;
  /** Takes the messages of this type: they are gone afterwards. */
  (type: string): string[];
  /** Keeps messages for the next page; says how many of this type there are. A text may hold `%s`, as `util.format` has it. */
  (type: string, text: string | readonly string[], ...values: unknown[]): number;
}

interface Holder {
  session: { flash?: unknown };
}

/** Shared by all requests: `this` is the request. */
export const flash = function (
  this: Holder,
  type?: string,
  text?: string | readonly string[],
  ...values: unknown[]
): FlashMessages | string[] | number {
  const { session } = this;
  const messages = messagesIn(session);
  if (type === undefined) {
    delete session.flash;
    return messages;
  }
  const present = Object.hasOwn(messages, type) ? (messages[type] as string[]) : [];
  if (text === undefined) {
    replace(session, messages, type, []);
    return present;
  }
  const added = Array.isArray(text) ? text : [values.length > 0 ? format(text, ...values) : text];
  const all = [...present, ...added];
  replace(session, messages, type, all);
  return all.length;
} as Flash;

/** New objects each time, so that what a caller was given never changes under it. */
function replace(session: Holder['session'], messages: FlashMessages, type: string, texts: string[]): void {
  const { [type]: _old, ...rest } = messages;
  const next = texts.length > 0 ? { ...rest, [type]: texts } : rest;
  if (Object.keys(next).length > 0) session.flash = next;
  else delete session.flash;
}

function messagesIn(session: Holder['session']): FlashMessages {
  const kept = session.flash ?? {};
  const fits = typeof kept === 'object' && Object.values(kept as object).every(texts => Array.isArray(texts));
  if (fits) return kept as FlashMessages;
  throw new MadeleineError(
    'ERR_DATA_KEY',
    'req.session.flash holds something that is not flash messages.',
    'Keep your own data under another key when you use req.flash().',
  );
}
