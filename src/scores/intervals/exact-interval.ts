import { bisect } from "./normal-distribution";

/** An interval for a proportion. */
export interface ProportionInterval {
  successes: number;
  trials: number;
  /** Successes / trials; null where there are no trials. */
  value: number | null;
  low: number;
  high: number;
  /** For example 0.95. */
  level: number;
}

/** Probability of at most `successes` of `trials`; summed in the order that loses least. */
function binomialCdf(successes: number, trials: number, probability: number): number {
  const logOdds = Math.log(probability) - Math.log1p(-probability);
  let logTerm = trials * Math.log1p(-probability);
  let sum = Math.exp(logTerm);
  for (let k = 1; k <= successes; k++) {
    logTerm += Math.log((trials - k + 1) / k) + logOdds;
    sum += Math.exp(logTerm);
  }
  return Math.min(1, sum);
}

/**
 * The exact interval for a proportion (Clopper and Pearson, Biometrika 26, 1934): right at least as often as it
 * says for any number of trials, however few. The trials must be independent, so patients, not their images.
 *
 * @param successes - Integer in [0, trials].
 * @param trials - Integer, at least 0; with none the interval is [0, 1].
 * @throws RangeError if the counts or the level make no sense.
 */
export function exactInterval(successes: number, trials: number, level = 0.95): ProportionInterval {
  const counts = Number.isSafeInteger(successes) && Number.isSafeInteger(trials);
  if (!counts || successes < 0 || successes > trials) {
    throw new RangeError(
      `A proportion needs whole numbers, successes from 0 to trials; found ${successes} of ${trials}.`,
    );
  }
  checkLevel(level);
  const tail = (1 - level) / 2;
  return {
    successes,
    trials,
    value: trials === 0 ? null : successes / trials,
    // The tail of at least s successes at p is that of at most n − s failures at 1 − p, which sums few terms when s is large.
    low: successes === 0 ? 0 : bisect(0, 1, (p) => binomialCdf(trials - successes, trials, 1 - p) >= tail),
    high: successes === trials ? 1 : bisect(0, 1, (p) => binomialCdf(successes, trials, p) <= tail),
    level,
  };
}

/** @throws RangeError if an interval's level is not between 0 and 1. */
export function checkLevel(level: number): void {
  if (!(level > 0 && level < 1)) {
    throw new RangeError(`An interval's level lies between 0 and 1, for example 0.95; found ${level}.`);
  }
}
