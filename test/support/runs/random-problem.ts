import { createRandom } from "../../../src/runtime/random";

/** A made-up classification problem: ReLU-like features whose means differ a little from class to class. */
export interface RandomProblem {
  features: { values: Float32Array; width: number };
  labels: number[];
  classCount: number;
  split: { train: number[]; validation: number[]; test: number[] };
}

/**
 * Makes a problem that can be learned, but not perfectly: 60 % to train on, 20 % to validate, 20 % to test.
 *
 * @param separation - By how many standard deviations informative features differ between classes.
 */
export function randomProblem(options: {
  count: number;
  width: number;
  seed: number;
  classCount?: number;
  separation?: number;
}): RandomProblem {
  const { count, width, seed, classCount = 2, separation = 0.5 } = options;
  const random = createRandom(seed);
  const labels = Array.from({ length: count }, (_, i) => (i % 5 === 0 ? 0 : i % classCount));
  const values = Float32Array.from({ length: count * width }, (_, i) => {
    const feature = i % width;
    const informative = feature % 4 === labels[Math.floor(i / width)]! % 4;
    return Math.max(0, random.normal() + (informative ? separation : 0));
  });
  const order = random.shuffle(labels.map((_, i) => i));
  const [first, second] = [Math.floor(0.6 * count), Math.floor(0.8 * count)];
  return {
    features: { values, width },
    labels,
    classCount,
    split: {
      train: order.slice(0, first),
      validation: order.slice(first, second),
      test: order.slice(second),
    },
  };
}
