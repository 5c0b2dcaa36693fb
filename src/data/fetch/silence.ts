import { lastingError } from "./download-problems";

/** What a connection has to bring. */
export interface Patience {
  /** Silence after which a connection counts as lost, in milliseconds. Default 30,000. */
  stallMs?: number;
  /** Bytes a second, on average over as long a time, below which a server is given up for good. Default 1,000. */
  leastRate?: number;
}

/** Watches a connection. */
export interface Watch {
  /** Aborts after too long a silence, when too little arrives, and when the caller's own signal does. */
  signal: AbortSignal;
  /** Something arrived: so many bytes. */
  signOfLife(bytes: number): void;
  /** Stops the clock until the next `resume`: the silence is ours. */
  pause(): void;
  resume(): void;
  stop(): void;
}

/**
 * A timer that is started again at every sign of life, and aborts when there was none for too long.
 *
 * A server that sends a byte now and then never falls silent: what it brings is counted over the time that was spent
 * waiting for it.
 *
 * @param now - The time in milliseconds; default: the clock.
 */
export function watchSilence(
  { stallMs = 30_000, leastRate = 1_000 }: Patience,
  outer: AbortSignal | undefined,
  now: () => number = () => performance.now(),
): Watch {
  const controller = new AbortController();
  const silence = new Error(`nothing arrived for ${Math.round(stallMs / 1000)} s`);
  const start = () => setTimeout(() => controller.abort(silence), stallMs);
  const passOn = () => controller.abort(outer?.reason);
  let timer = start();
  let waitingSinceMs: number | null = now();
  let waitedMs = 0;
  let bytes = 0;
  outer?.addEventListener("abort", passOn);
  if (outer?.aborted) passOn();

  function countWaiting(): void {
    if (waitingSinceMs !== null) waitedMs += now() - waitingSinceMs;
    waitingSinceMs = null;
  }
  function refuseSlowness(): void {
    if (waitedMs < stallMs) return;
    const rate = (bytes / waitedMs) * 1000;
    if (rate < leastRate) {
      controller.abort(
        lastingError(
          `the server sends ${Math.round(rate)} bytes a second, less than the ${leastRate} that it has to`,
        ),
      );
    }
    waitedMs = 0;
    bytes = 0;
  }
  return {
    signal: controller.signal,
    signOfLife(count) {
      countWaiting();
      bytes += count;
      refuseSlowness();
      waitingSinceMs = now();
      clearTimeout(timer);
      timer = start();
    },
    pause() {
      countWaiting();
      clearTimeout(timer);
    },
    resume() {
      waitingSinceMs = now();
      clearTimeout(timer);
      timer = start();
    },
    stop() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", passOn);
      // An answer that nobody reads to its end would keep its connection open.
      controller.abort();
    },
  };
}
