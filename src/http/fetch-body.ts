/** The bodies of Fetch responses: which of them are still being written, and when they end. */

/**
 * Whether the body is complete, and the fields can be changed. A Response does not tell text from a stream; but the one of
 * @hono/node-server keeps what it was given at hand, and is sent much faster if nobody asks for it as a stream. Where that cannot be
 * found, every body counts as a stream, which is right and only slower.
 */
export function isAtHand(response: Response): boolean {
  const kept = Object.getOwnPropertySymbols(response).find(symbol => symbol.description === 'cache');
  const cache: unknown = kept && (response as unknown as Record<symbol, unknown>)[kept];
  if (!Array.isArray(cache)) return false;
  const body: unknown = cache[1];
  return typeof (body as Partial<ReadableStream> | null)?.getReader !== 'function';
}

export interface BodyEnd {
  /** Everything is written: the reader hears of it when this is done; if it fails, that the body broke off. */
  beforeEnd(): Promise<void>;
  /** The body broke off: by its writer's error, or because the client went away. */
  brokeOff(): void;
}

/** The same body, which tells when it is at its end. */
export function withEnd(body: ReadableStream<Uint8Array>, end: BodyEnd): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let next: Awaited<ReturnType<typeof reader.read>>;
        try {
          next = await reader.read();
        } catch (error) {
          end.brokeOff();
          throw error;
        }
        if (!next.done) return controller.enqueue(next.value);
        await end.beforeEnd();
        controller.close();
      },
      async cancel(reason) {
        try {
          await reader.cancel(reason);
        } finally {
          end.brokeOff();
        }
      },
    },
    // Nothing is read before it is wanted: the first byte is asked for only after the session is saved.
    { highWaterMark: 0 },
  );
}
