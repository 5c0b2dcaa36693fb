import type { Dataset } from "../data/record";
import { distributeUnits, groupRecords, type SplitUnit } from "../data/split/split-units";
import { largest, smallest } from "../runtime/many";
import type { Random } from "../runtime/random";
import { rangeRefusal, refusal } from "../runtime/refusal";
import { countOf, nameSome } from "../runtime/words";

/** One part of a cross-validation: what is held out, and what is learned from. Indices into `dataset.records`. */
export interface Fold {
  /** From 0 on. */
  fold: number;
  /** Never seen in training, nor when deciding when to stop. */
  test: number[];
  train: number[];
  /** Patients of the training part who only decide when to stop. */
  validation: number[];
}

/** Share of the training part's images that decides when to stop. */
const validationShare = 0.2;

/** Shuffles tried until every fold has every class; only patients with images of several classes need more than one. */
const attempts = 20;

/** Groups a data set's records by patient; those who share an identical image stay together. */
export function patientUnits(dataset: Dataset): SplitUnit[] {
  const { records } = dataset;
  const unknown = records.filter(({ patient }) => patient === null).map(({ file }) => file);
  if (unknown.length > 0) {
    throw refusal(
      `Cross-validation by patient needs to know every image's patient, and the names of ${unknown.length} of ` +
        `${countOf(records.length, "image")} do not tell it: ${nameSome(unknown, 5)}. Leave them out.`,
    );
  }
  const rows = records.map((_, row) => row);
  return groupRecords(records, rows, ({ patient, sha256 }) => [`patient ${patient}`, `content ${sha256}`]);
}

/** How many images of each class a patient has. */
function classCounts(dataset: Dataset, unit: SplitUnit): number[] {
  const counts = new Array<number>(dataset.classes.length).fill(0);
  for (const row of unit.records) counts[dataset.records[row]!.label]!++;
  return counts;
}

/** Population standard deviation. */
function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** numpy's `isclose`: so that rounding does not decide between folds that are equally good. */
const isClose = (one: number, other: number) => Math.abs(one - other) <= 1e-8 + 1e-5 * Math.abs(other);

/**
 * Deals groups to folds so that each class has about as many images in every fold, as scikit-learn's
 * `StratifiedGroupKFold`: groups in order of how uneven their classes are, each to the fold where it does most good.
 *
 * @param counts - For each group, its images of each class; equally uneven groups are dealt in the given order.
 * @returns For each group, its fold from 0 on.
 */
export function dealGroups(counts: readonly (readonly number[])[], foldCount: number): number[] {
  const classCount = counts[0]?.length ?? 0;
  const totals = Array.from({ length: classCount }, (_, c) =>
    counts.reduce((sum, group) => sum + group[c]!, 0),
  );
  const classes = totals.flatMap((total, c) => (total > 0 ? [c] : []));
  const present = counts.map((group) => classes.map((c) => group[c]!));
  const perFold = Array.from({ length: foldCount }, () => classes.map(() => 0));
  const spread = present.map(deviation);
  const order = counts.map((_, i) => i).sort((a, b) => spread[b]! - spread[a]! || a - b);
  const dealt = new Array<number>(counts.length).fill(0);
  for (const group of order) {
    const fold = bestFold(
      perFold,
      present[group]!,
      classes.map((c) => totals[c]!),
    );
    present[group]!.forEach((count, c) => {
      perFold[fold]![c]! += count;
    });
    dealt[group] = fold;
  }
  return dealt;
}

function bestFold(perFold: readonly number[][], group: readonly number[], totals: readonly number[]): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  let fewest = Number.POSITIVE_INFINITY;
  perFold.forEach((images, fold) => {
    const unevenness = totals.map((total, c) =>
      deviation(perFold.map((other, i) => (other[c]! + (i === fold ? group[c]! : 0)) / total)),
    );
    const mean = unevenness.reduce((sum, value) => sum + value, 0) / unevenness.length;
    const samples = images.reduce((sum, count) => sum + count, 0);
    if (mean < least || (isClose(mean, least) && samples < fewest)) {
      [best, least, fewest] = [fold, mean, samples];
    }
  });
  return best;
}

/** @throws Error saying which number of folds is possible. */
function checkFoldCount(dataset: Dataset, counts: readonly number[][], foldCount: number): void {
  if (!Number.isSafeInteger(foldCount) || foldCount < 2) {
    throw rangeRefusal(`The number of folds is an integer of at least 2, found ${foldCount}.`);
  }
  const patients = dataset.classes.map((_, c) => counts.filter((group) => group[c]! > 0).length);
  const listed = dataset.classes.map((name, c) => `${name} ${patients[c]}`).join(", ");
  const fewest = smallest(patients);
  // In each training part, one patient of every class must remain to learn from and one to stop by.
  const fits = (folds: number) => folds <= fewest && fewest - Math.ceil(fewest / folds) >= 2;
  if (fits(foldCount)) return;
  const possible = Array.from({ length: fewest }, (_, i) => i + 1).filter(
    (folds) => folds >= 2 && fits(folds),
  );
  const advice =
    possible.length === 0
      ? "There are too few patients for any cross-validation by patient: at least 3 of each class are needed."
      : `Up to ${largest(possible)} folds are possible${possible[0] === 2 ? "" : `, and no fewer than ${possible[0]}`}.`;
  throw refusal(
    `${foldCount} folds by patient need ${foldCount} patients of each class, and two of each to train on; found ${listed}. ${advice}`,
  );
}

/**
 * Divides a data set into folds by patient: each patient is held out once, classes are balanced over the folds, and
 * the training part of each fold gives up some patients to decide when to stop.
 *
 * @param random - Decides which patients are together.
 * @throws Error if a patient is unknown or a class has too few patients; it says how many folds are possible.
 */
export function foldsByPatient(dataset: Dataset, foldCount: number, random: Random): Fold[] {
  const units = patientUnits(dataset);
  checkFoldCount(
    dataset,
    units.map((unit) => classCounts(dataset, unit)),
    foldCount,
  );
  for (let attempt = 0; attempt < attempts; attempt++) {
    const shuffled = random.shuffle(units);
    const dealt = dealGroups(
      shuffled.map((unit) => classCounts(dataset, unit)),
      foldCount,
    );
    const folds = Array.from({ length: foldCount }, (_, fold) =>
      buildFold(
        fold,
        shuffled.filter((_, i) => dealt[i] === fold),
        shuffled.filter((_, i) => dealt[i] !== fold),
        random.fork(`validation ${attempt} ${fold}`),
      ),
    );
    if (folds.every((fold) => hasEveryClass(dataset, fold))) return folds;
  }
  throw refusal(
    `No ${foldCount} folds by patient were found in which every class is tested and learned: too few patients have it. Try fewer folds.`,
  );
}

function buildFold(
  fold: number,
  held: readonly SplitUnit[],
  rest: readonly SplitUnit[],
  random: Random,
): Fold {
  const shares = { train: 1 - validationShare, validation: validationShare, test: 0 };
  const { train, validation } = distributeUnits(rest, shares, 1, random);
  const test = held.flatMap(({ records }) => records).sort((a, b) => a - b);
  return { fold, test, train, validation };
}

function hasEveryClass(dataset: Dataset, { test, train, validation }: Fold): boolean {
  const present = [...new Set(dataset.records.map(({ label }) => label))];
  return (
    [test, train].every((rows) =>
      present.every((label) => rows.some((row) => dataset.records[row]!.label === label)),
    ) && validation.length > 0
  );
}
