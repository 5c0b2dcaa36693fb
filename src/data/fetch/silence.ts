/** Watches a connection. */
export interface Watch {
  /** Aborts after too long a silence, and when the caller's own signal does. */
  signal: AbortSignal;
  signOfLife(): void;
  /** Stops the clock until the next sign of life: the silence is ours. */
  pause(): void;
  stop(): void;
}

/** A timer that is started again at every sign of life, and aborts when there was none for too long. */
export function watchSilence(milliseconds: number, outer: AbortSignal | undefined): Watch {
  const controller = new AbortController();
  const silence = new Error(`nothing arrived for ${Math.round(milliseconds / 1000)} s`);
  const start = () => setTimeout(() => controller.abort(silence), milliseconds);
  const passOn = () => controller.abort(outer?.reason);
  let timer = start();
  outer?.addEventListener("abort", passOn);
  if (outer?.aborted) passOn();
  return {
    signal: controller.signal,
    signOfLife() {
      clearTimeout(timer);
      timer = start();
    },
    pause() {
      clearTimeout(timer);
    },
    stop() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", passOn);
      // An answer that nobody reads to its end would keep its connection open.
      controller.abort();
    },
  };
}
