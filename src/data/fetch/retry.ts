import { setTimeout as delay } from "node:timers/promises";
import { isLasting, lastingError, retryAfterOf } from "./download-problems";

/** How often and after how long a pause something is tried again. */
export interface RetryOptions {
  /** Connections in a row that may bring nothing before it is given up. Default 5. */
  attempts?: number;
  /** Pause before the second try, in milliseconds; doubled for each further one. Default 1,000. */
  retryDelayMs?: number;
  /** The longest pause that a server may ask for, in milliseconds. Default 5 minutes. */
  patienceMs?: number;
  signal?: AbortSignal;
  /** How a pause is made; default: by the clock. */
  wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
}

function waitByClock(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return delay(milliseconds, undefined, signal ? { signal } : {});
}

const longestPauseMs = 30_000;

/**
 * Reads a Retry-After header: seconds, or a date.
 *
 * @returns Milliseconds from now, at least 0; null where there is none that can be read.
 *
 * @example
 * retryAfterMs("120", 0); // 120000
 */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1_000;
  // Date.parse takes much for a date, "-5" among it.
  const date = /[a-z]{3} .*\d GMT\s*$/i.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}

/** The pause after so many failures: doubled each time, up to 30 s, and varied so that clients don't come in step. */
export function backOffMs(failures: number, retryDelayMs: number, random: () => number): number {
  const whole = Math.min(longestPauseMs, retryDelayMs * 2 ** (failures - 1));
  return whole * (0.5 + random() / 2);
}

/**
 * Waits before the next try, or gives up.
 *
 * @param failures - Tries in a row, this one included, that brought nothing.
 * @throws The error itself if trying again is of no use or was done often enough; the signal's reason if aborted.
 */
export async function pauseOrThrow(error: unknown, failures: number, options: RetryOptions): Promise<void> {
  const { signal } = options;
  signal?.throwIfAborted();
  if (isLasting(error) || failures >= (options.attempts ?? 5)) throw error;
  const asked = retryAfterOf(error);
  if (asked !== null && asked > (options.patienceMs ?? 300_000)) {
    const minutes = Math.ceil(asked / 60_000);
    throw lastingError(`${(error as Error).message} and asks to come back in ${minutes} min`);
  }
  const pause = Math.max(asked ?? 0, backOffMs(failures, options.retryDelayMs ?? 1_000, Math.random));
  await (options.wait ?? waitByClock)(pause, signal);
}
