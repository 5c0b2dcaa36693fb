import type { Dataset } from "../data/record";
import { countValues, type FeatureValues, gatherRows } from "../model/features/feature-rows";
import { breathe } from "../runtime/interruption";
import { spreadEvenly } from "../runtime/many";
import { rangeRefusal } from "../runtime/refusal";
import { tf } from "../runtime/tensorflow";

/** How features are compared. */
export type Metric = "cosine" | "euclidean";

/** A share, beside what features that know nothing would give. */
export interface ShareAndChance {
  /** NaN if no image could be judged. */
  share: number;
  chance: number;
  /** Images that could be judged. */
  images: number;
}

/** How well features tell patients apart, and classes. */
export interface NeighbourShares {
  metric: Metric;
  /** Images whose nearest other image is of the same patient; of images whose patient has another. */
  samePatient: ShareAndChance;
  /** The same, among images of the same class only: beyond what the diagnosis explains. */
  samePatientWithinClass: ShareAndChance;
  /** Images whose nearest image of another patient is of the same class: what carries over to a new patient. */
  sameClassAcrossPatients: ShareAndChance;
}

/** Rows whose distances to all others are held at once: 7,909 images make 16 MB. */
const rowsPerBlock = 512;

/**
 * So many images are compared with each other, evenly over all: the work grows with their square, and these take minutes.
 * All of BreaKHis is fewer.
 */
const mostCompared = 10_000;

interface Rows {
  values: Float32Array;
  width: number;
  patients: string[];
  labels: number[];
  contents: string[];
}

function knownRows(dataset: Pick<Dataset, "records">, values: FeatureValues, width: number): Rows {
  const known = dataset.records.flatMap(({ patient }, row) => (patient === null ? [] : [row]));
  const rows = spreadEvenly(known, mostCompared);
  const records = rows.map((row) => dataset.records[row]!);
  return {
    values: gatherRows(values, width, rows),
    width,
    patients: records.map(({ patient }) => patient!),
    labels: records.map(({ label }) => label),
    contents: records.map(({ sha256 }) => sha256),
  };
}

/** Likeness of a block of rows to all rows; the greater, the nearer. Shape [count, all]. */
function likeness(all: tf.Tensor2D, squares: tf.Tensor1D, start: number, count: number, metric: Metric) {
  return tf.tidy(() => {
    const block = tf.slice(all, [start, 0], [count, -1]);
    const products = tf.matMul(block, all, false, true);
    // ‖a − b‖² = ‖a‖² + ‖b‖² − 2ab; ‖a‖² is the same along a row.
    return metric === "cosine" ? products : tf.sub(tf.mul(products, 2), squares);
  });
}

/** Index of the greatest likeness among those allowed, or −1. */
function nearest(
  likenesses: Float32Array,
  start: number,
  count: number,
  allowed: (other: number) => boolean,
): number {
  let best = -1;
  for (let other = 0; other < count; other++) {
    if ((best < 0 || likenesses[start + other]! > likenesses[start + best]!) && allowed(other)) best = other;
  }
  return best;
}

/** Sums shares of images as they are judged. */
function createTally() {
  let [hits, chances, images] = [0, 0, 0];
  return {
    add(hit: boolean, chance: number) {
      hits += hit ? 1 : 0;
      chances += chance;
      images++;
    },
    result: (): ShareAndChance => ({ share: hits / images, chance: chances / images, images }),
  };
}

function countBy<K>(items: readonly K[]): Map<K, number> {
  const counts = new Map<K, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

/** Judges one image after the other from its likeness to all. */
function createJudge({ patients, labels, contents }: Rows, metric: Metric) {
  const count = patients.length;
  const tallies = { any: createTally(), within: createTally(), across: createTally() };
  const ofPatient = countBy(patients);
  const ofClass = countBy(labels);
  const key = (row: number) => `${labels[row]} ${patients[row]}`;
  const ofBoth = countBy(patients.map((_, row) => key(row)));
  function judge(row: number, likenesses: Float32Array, start: number) {
    // A copy of the same image is nearest to it whatever the features are.
    const other = (at: number) => at !== row && contents[at] !== contents[row];
    const [patient, label] = [patients[row]!, labels[row]!];
    const [mine, same, both] = [ofPatient.get(patient)!, ofClass.get(label)!, ofBoth.get(key(row))!];
    const near = nearest(likenesses, start, count, other);
    if (mine > 1 && near >= 0) tallies.any.add(patients[near] === patient, (mine - 1) / (count - 1));
    const within = nearest(likenesses, start, count, (at) => other(at) && labels[at] === label);
    if (both > 1 && within >= 0) tallies.within.add(patients[within] === patient, (both - 1) / (same - 1));
    const across = nearest(likenesses, start, count, (at) => other(at) && patients[at] !== patient);
    if (across >= 0) tallies.across.add(labels[across] === label, (same - both) / (count - mine));
  }
  const result = (): NeighbourShares => ({
    metric,
    samePatient: tallies.any.result(),
    samePatientWithinClass: tallies.within.result(),
    sameClassAcrossPatients: tallies.across.result(),
  });
  return { judge, result };
}

/**
 * Asks of each image whose nearest neighbour in feature space is: where features recognise the patient, a head can
 * learn patients instead of disease, and a split by image rewards it.
 *
 * Identical copies of an image are no neighbours of it; images of unknown patients are left out. Chance is what a
 * neighbour drawn at random would give, image by image. Of more than 10,000 images, so many are compared, evenly over all.
 *
 * @param values - Shape [records, width], finite.
 * @param options.signal - Where given, an abort ends it.
 * @returns Null if it was aborted.
 * @throws RangeError if the values are not one row a record.
 */
export async function neighbourShares(
  dataset: Pick<Dataset, "records">,
  values: FeatureValues,
  width: number,
  options: { metric?: Metric; signal?: AbortSignal } = {},
): Promise<NeighbourShares | null> {
  const { metric = "cosine", signal } = options;
  const found = countValues(values);
  if (found !== dataset.records.length * width) {
    throw rangeRefusal(
      `There must be ${width} features for each of ${dataset.records.length} records, found ${found} in all.`,
    );
  }
  const rows = knownRows(dataset, values, width);
  const count = rows.patients.length;
  const judged = createJudge(rows, metric);
  if (count === 0) return judged.result();
  const { all, squares } = prepareTensors(rows, metric);
  try {
    for (let start = 0; start < count; start += rowsPerBlock) {
      await breathe();
      if (signal?.aborted) return null;
      const blockRows = Math.min(rowsPerBlock, count - start);
      const block = likeness(all, squares, start, blockRows, metric);
      const likenesses = block.dataSync() as Float32Array;
      block.dispose();
      for (let i = 0; i < blockRows; i++) judged.judge(start + i, likenesses, i * count);
    }
    return judged.result();
  } finally {
    tf.dispose([all, squares]);
  }
}

function prepareTensors({ values, width, patients }: Rows, metric: Metric) {
  return tf.tidy(() => {
    const raw = tf.tensor2d(values, [patients.length, width]);
    // A row of zeros has no direction; the small number keeps it from becoming NaN.
    const all = metric === "cosine" ? tf.div(raw, tf.add(tf.norm(raw, 2, 1, true), 1e-12)) : raw;
    return { all: all as tf.Tensor2D, squares: tf.sum(tf.square(all), 1) as tf.Tensor1D };
  });
}
