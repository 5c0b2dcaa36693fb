import type { Judged, ScoreName } from "../weighed-scores";
import type { Clustered, Interval } from "./bootstrap";
import { meanOfShares, type ShareOptions, shareInterval } from "./share-interval";

type Item = Judged & Clustered;

const yes = () => true;
const share = (holds: boolean) => (holds ? 1 : 0);

/**
 * The intervals of those scores that are shares or made of shares.
 *
 * Balanced accuracy is the mean of the classes' shares, whose patients are others (Zou and Donner, Stat. Med. 27(10),
 * 2008; approximate where a patient has images of several classes); F1 rises with the share of right ones among those
 * that are, or are called, positive, and takes its ends from that.
 *
 * @param values - The scores themselves, NaN or null where undefined.
 */
export function namedShares(
  groups: readonly (readonly Item[])[],
  values: Record<ScoreName, Interval>,
  { positiveClass }: { positiveClass: number | null },
  options: ShareOptions,
): Partial<Record<ScoreName, Interval>> {
  const classes = groups[0]![0]!.probabilities.map((_, label) => label);
  const of = (whole: (item: Item) => boolean, holds: (item: Item) => boolean) =>
    shareInterval(groups, whole, (item) => share(holds(item)), options);
  const right = ({ label, predicted }: Item) => label === predicted;
  const recalls = classes.map((one) => of(({ label }) => label === one, right));
  const general = {
    accuracy: of(yes, right),
    balancedAccuracy: meanOfShares(values.balancedAccuracy.value, recalls),
  };
  if (positiveClass === null) return general;
  const isPositive = ({ label }: Item) => label === positiveClass;
  const isCalled = ({ predicted }: Item) => predicted === positiveClass;
  const isNot = (test: (item: Item) => boolean) => (item: Item) => !test(item);
  const overlap = of(
    (item) => isPositive(item) || isCalled(item),
    (item) => isPositive(item) && isCalled(item),
  );
  return {
    ...general,
    sensitivity: of(isPositive, isCalled),
    specificity: of(isNot(isPositive), isNot(isCalled)),
    precision: of(isCalled, isPositive),
    negativePredictiveValue: of(isNot(isCalled), isNot(isPositive)),
    f1: { ...overlap, value: values.f1.value, low: harmonic(overlap.low), high: harmonic(overlap.high) },
    ...areaAtBound(groups, values.auc, isPositive, options),
  };
}

const harmonic = (overlap: number | null) => (overlap === null ? null : (2 * overlap) / (1 + overlap));

/**
 * Where all positives lie above all negatives, so they do in every resample. The variance of an area A is at most
 * A (1 − A) / n with n the smaller number of positive and negative patients (Birnbaum and Klose, Ann. Math. Stat. 28(4),
 * 1957), as of a share of n trials, whose interval says what can be known from so many.
 */
function areaAtBound(
  groups: readonly (readonly Item[])[],
  auc: Interval,
  isPositive: (item: Item) => boolean,
  options: ShareOptions,
): { auc?: Interval } {
  if (auc.value !== 0 && auc.value !== 1) return {};
  const sideOf = (whole: (item: Item) => boolean) => shareInterval(groups, whole, () => auc.value!, options);
  const [positives, negatives] = [sideOf(isPositive), sideOf((item) => !isPositive(item))];
  return {
    auc: {
      ...auc,
      low: Math.min(positives.low ?? 0, negatives.low ?? 0),
      high: Math.max(positives.high ?? 1, negatives.high ?? 1),
    },
  };
}
