import { lastingError } from "./download-problems";

/** What a connection has to bring. */
export interface Patience {
  /** Silence after which a connection counts as lost, in milliseconds. Default 30,000. */
  stallMs?: number;
  /** Bytes a second, on average over as long a time, below which a server is given up for good. Default 1,000. */
  leastRate?: number;
}

/**
 * Watches a connection with a timer that is started again at every sign of life.
 *
 * A server that sends a byte now and then never falls silent: what it brings is counted over the time that was spent
 * waiting for it.
 */
export class SilenceWatch {
  /** Aborts after too long a silence, when too little arrives, and when the caller's own signal does. */
  readonly signal: AbortSignal;
  private readonly controller = new AbortController();
  private readonly stallMs: number;
  private readonly leastRate: number;
  private timer: NodeJS.Timeout;
  private waitingSinceMs: number | null;
  private waitedMs = 0;
  private bytes = 0;

  /** @param now - The time in milliseconds; default: the clock. */
  constructor(
    { stallMs = 30_000, leastRate = 1_000 }: Patience,
    private readonly outer: AbortSignal | undefined,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.signal = this.controller.signal;
    this.stallMs = stallMs;
    this.leastRate = leastRate;
    this.timer = this.startTimer();
    this.waitingSinceMs = now();
    outer?.addEventListener("abort", this.passOn);
    if (outer?.aborted) this.passOn();
  }

  /** Something arrived: so many bytes. */
  signOfLife(bytes: number): void {
    this.countWaiting();
    this.bytes += bytes;
    this.refuseSlowness();
    this.resume();
  }

  /** Stops the clock until the next `resume`: the silence is ours. */
  pause(): void {
    this.countWaiting();
    clearTimeout(this.timer);
  }

  resume(): void {
    this.waitingSinceMs = this.now();
    clearTimeout(this.timer);
    this.timer = this.startTimer();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.outer?.removeEventListener("abort", this.passOn);
    // An answer that nobody reads to its end would keep its connection open.
    this.controller.abort();
  }

  private readonly passOn = (): void => this.controller.abort(this.outer?.reason);

  private startTimer(): NodeJS.Timeout {
    const abort = () =>
      this.controller.abort(new Error(`nothing arrived for ${Math.round(this.stallMs / 1000)} s`));
    return setTimeout(abort, this.stallMs);
  }

  private countWaiting(): void {
    if (this.waitingSinceMs !== null) this.waitedMs += this.now() - this.waitingSinceMs;
    this.waitingSinceMs = null;
  }

  private refuseSlowness(): void {
    if (this.waitedMs < this.stallMs) return;
    const rate = (this.bytes / this.waitedMs) * 1000;
    if (rate < this.leastRate) {
      const needed = `less than the ${this.leastRate} that it has to`;
      this.controller.abort(lastingError(`the server sends ${Math.round(rate)} bytes a second, ${needed}`));
    }
    this.waitedMs = 0;
    this.bytes = 0;
  }
}
