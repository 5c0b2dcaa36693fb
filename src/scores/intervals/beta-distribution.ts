import { bisect } from "./normal-distribution";

const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** Logarithm of the gamma function for x of at least 0.5, by Lanczos' approximation (g = 7, n = 9). */
function logGamma(x: number): number {
  let sum = lanczos[0]!;
  for (let i = 1; i < lanczos.length; i++) sum += lanczos[i]! / (x - 1 + i);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

/** The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method. */
function fraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const clear = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / clear(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m < 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / clear(1 + even * d);
    c = clear(1 + even / c);
    result *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / clear(1 + odd * d);
    c = clear(1 + odd / c);
    result *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return result;
}

/**
 * Probability that a beta-distributed value is at most x: the regularised incomplete beta function.
 *
 * @param x - In [0, 1].
 * @param a - Above 0.
 * @param b - Above 0.
 *
 * @example
 * betaCdf(0.5, 1, 1); // 0.5
 */
export function betaCdf(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  // Γ(a) = Γ(a + 1) / a keeps the approximation where it is accurate.
  const logBeta =
    logGamma(a + 1) - Math.log(a) + logGamma(b + 1) - Math.log(b) - (logGamma(a + b + 1) - Math.log(a + b));
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta);
  return x < (a + 1) / (a + b + 2)
    ? (front * fraction(x, a, b)) / a
    : 1 - (front * fraction(1 - x, b, a)) / b;
}

/**
 * The value that a beta-distributed one stays below with a probability.
 *
 * @param probability - In (0, 1).
 *
 * @example
 * betaQuantile(0.25, 1, 1); // 0.25
 */
export function betaQuantile(probability: number, a: number, b: number): number {
  return bisect(0, 1, (x) => betaCdf(x, a, b) >= probability);
}
