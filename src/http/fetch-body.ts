/** The bodies of Fetch responses: which of them are still being written, and when they end. */

/** Of Bun, where it is the runtime. */
const BUN = (globalThis as { readonly Bun?: { inspect(value: unknown): string } }).Bun;

/**
 * A copy of a response whose body is complete, with fields of its own; `null` where it is written still. A Response does not tell
 * text from a stream; but these two runtimes do, and send what they know to be complete better than a stream: that of
 * @hono/node-server much faster, Bun with the type and length that it finds out only then. Where that cannot be found, every body
 * counts as a stream, which is right and only slower. A copy, because a handler may give the same response to everybody.
 */
export async function copyIfAtHand(response: Response): Promise<Response | null> {
  if (BUN && /^ {2}(Blob|FileRef) \(/m.test(BUN.inspect(response))) return copyOfBun(response);
  const kept = Object.getOwnPropertySymbols(response).find(symbol => symbol.description === 'cache');
  const cache: unknown = kept && (response as unknown as Record<symbol, unknown>)[kept];
  if (!Array.isArray(cache)) return null;
  const body = cache[1] as ConstructorParameters<typeof Response>[0];
  if (typeof (body as Partial<ReadableStream> | null | undefined)?.getReader === 'function') return null;
  // Without its statusText: to ask for that makes a slow Response of the quick one, for everybody who is given it after us.
  return new Response(body, { status: response.status, headers: new Headers(response.headers) });
}

/** Bun's own clone() forgets that text with an umlaut in it is text; the Blob knows, and Bun asks it where no field says so. */
async function copyOfBun(response: Response): Promise<Response> {
  const copy = new Response(await response.clone().blob(), response);
  if (!response.headers.has('Content-Type')) copy.headers.delete('Content-Type');
  return copy;
}

interface BodyEnd {
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
