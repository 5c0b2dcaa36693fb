import type { Readable } from "node:stream";

/** Bytes that may wait for the reader before the sender is asked to pause. */
const waitingLimit = 2 ** 20;

/**
 * Reads a body so that nothing which arrived is lost: when a connection breaks, a stream throws away what was not read
 * yet; here it is handed out first and the error comes afterwards. Receiving begins with the call.
 */
export function receive(body: Readable): AsyncGenerator<Uint8Array, void, undefined> {
  const waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let ended: { error: Error | null } | null = null;
  let wake: () => void = () => undefined;
  const end = (error: Error | null) => {
    ended ??= { error };
    wake();
  };
  body.on("data", (chunk: Uint8Array) => {
    waiting.push(chunk);
    waitingBytes += chunk.length;
    if (waitingBytes > waitingLimit) body.pause();
    wake();
  });
  body.on("end", () => end(null));
  body.on("error", (error) => end(error));
  body.on("close", () => end(new Error("the connection was lost")));
  // Who comes too late hears no event any more.
  if (body.destroyed) end(body.errored ?? new Error("the connection was lost"));

  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const chunk = waiting.shift();
        if (chunk !== undefined) {
          waitingBytes -= chunk.length;
          yield chunk;
          body.resume();
        } else if (ended !== null) {
          if (ended.error !== null) throw ended.error;
          return;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      body.destroy();
    }
  }
  return chunks();
}
