import { rangeRefusal } from "../../runtime/refusal";
import { betaQuantile } from "./beta-distribution";

/** An interval for a proportion. */
export interface ProportionInterval {
  /** Successes / trials; null where there are no trials. */
  value: number | null;
  low: number;
  high: number;
  /** For example 0.95. */
  level: number;
}

/**
 * The exact interval for a proportion (Clopper and Pearson, Biometrika 26, 1934): right at least as often as it
 * says for any number of trials, however few. The trials must be independent, so patients, not their images.
 *
 * @param successes - In [0, trials]; a fraction where the trials are an effective number: see `shareInterval`.
 * @param trials - At least 0; with none the interval is [0, 1].
 * @throws RangeError if the counts or the level make no sense.
 *
 * @example
 * exactInterval(0, 0); // { value: null, low: 0, high: 1, level: 0.95 }
 */
export function exactInterval(successes: number, trials: number, level = 0.95): ProportionInterval {
  if (!(successes >= 0 && successes <= trials && Number.isFinite(trials))) {
    throw rangeRefusal(`A proportion needs successes from 0 to trials; found ${successes} of ${trials}.`);
  }
  checkLevel(level);
  const tail = (1 - level) / 2;
  const failures = trials - successes;
  return {
    value: trials === 0 ? null : successes / trials,
    low: successes === 0 ? 0 : betaQuantile(tail, successes, failures + 1),
    high: failures === 0 ? 1 : betaQuantile(1 - tail, successes + 1, failures),
    level,
  };
}

/** @throws RangeError if an interval's level is not between 0 and 1. */
export function checkLevel(level: number): void {
  if (!(level > 0 && level < 1)) {
    throw rangeRefusal(`An interval's level lies between 0 and 1, for example 0.95; found ${level}.`);
  }
}
