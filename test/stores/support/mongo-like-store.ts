import { EventEmitter } from 'node:events';

interface Document {
  session: string | Record<string, unknown>;
  expires: Date;
  lastModified: Date;
}
type Session = Record<string, unknown> & { cookie?: { expires?: Date | string } };
type Done = (error: unknown, session?: unknown) => void;

/**
 * What connect-mongo 5 does with a session, over a Map in place of a MongoDB, which these tests do not have: documents that
 * are found until they expire, the session in them as text or field by field, a date on what it gives back.
 */
export class MongoLikeStore extends EventEmitter {
  readonly documents: Map<string, Document> = new Map();
  readonly #stringify: boolean;

  constructor({ stringify = true } = {}) {
    super();
    this.#stringify = stringify;
  }

  get(id: string, callback: Done): void {
    this.#later(callback, () => {
      const document = this.documents.get(id);
      if (!document || document.expires.getTime() <= Date.now()) return null;
      const { session, lastModified } = structuredClone(document);
      return { ...(typeof session === 'string' ? JSON.parse(session) : session), lastModified };
    });
  }

  set(id: string, session: object, callback?: Done): void {
    this.#later(callback, () => {
      const { lastModified: _, ...kept } = session as Session;
      const expires = new Date(kept.cookie?.expires ?? Date.now() + 14 * 86_400_000);
      const stored = this.#stringify ? JSON.stringify(kept) : structuredClone(kept);
      this.emit(this.documents.has(id) ? 'update' : 'create', id);
      this.documents.set(id, { session: stored, expires, lastModified: new Date() });
    });
  }

  destroy(id: string, callback?: Done): void {
    this.#later(callback, () => {
      this.documents.delete(id);
      this.emit('destroy', id);
    });
  }

  touch(id: string, session: object, callback?: Done): void {
    this.#later(callback, () => {
      const document = this.documents.get(id);
      if (!document) throw new Error('Unable to find the session to touch');
      document.expires = new Date((session as Session).cookie?.expires ?? Date.now());
    });
  }

  #later(callback: Done | undefined, answer: () => unknown): void {
    setImmediate(() => {
      let result: unknown;
      try {
        result = answer();
      } catch (error) {
        callback?.(error);
        return;
      }
      callback?.(null, result);
    });
  }
}
