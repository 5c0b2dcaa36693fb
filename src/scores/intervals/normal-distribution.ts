import { rangeRefusal } from "../../runtime/refusal";

/** Upper tail of the standard normal by Lentz's continued fraction; z at least 2, where it converges quickly. */
function upperTail(z: number): number {
  let fraction = 0;
  for (let k = 200; k >= 1; k--) fraction = k / (z + fraction);
  return Math.exp((-z * z) / 2) / (Math.sqrt(2 * Math.PI) * (z + fraction));
}

/** Probability between 0 and z, by the series of Marsaglia, J. Stat. Softw. 11(4), 2004; z in [0, 3). */
function centralPart(z: number): number {
  let term = z;
  let sum = z;
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}

/**
 * Probability that a standard normal value is at most z.
 *
 * @example
 * normalCdf(0); // 0.5
 */
export function normalCdf(z: number): number {
  if (Number.isNaN(z)) return Number.NaN;
  if (z >= 3) return 1 - upperTail(z);
  if (z <= -3) return upperTail(-z);
  return z < 0 ? 0.5 - centralPart(-z) : 0.5 + centralPart(z);
}

/**
 * The value that a standard normal one stays below with a probability.
 *
 * @param probability - In (0, 1).
 * @throws RangeError if it is not.
 */
export function normalQuantile(probability: number): number {
  if (!(probability > 0 && probability < 1)) {
    throw rangeRefusal(`A quantile is asked for with a probability between 0 and 1, found ${probability}.`);
  }
  return bisect(-40, 40, (z) => normalCdf(z) >= probability);
}

/**
 * Finds where a condition begins to hold, to the last bit.
 *
 * @param holds - False at `low`, true at `high`, and changing once between.
 */
export function bisect(low: number, high: number, holds: (value: number) => boolean): number {
  let [below, above] = [low, high];
  for (;;) {
    const middle = (below + above) / 2;
    if (!(middle > below && middle < above)) return above;
    if (holds(middle)) above = middle;
    else below = middle;
  }
}
