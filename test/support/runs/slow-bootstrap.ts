import {
  type BootstrapOptions,
  bootstrapIntervals,
  type Clustered,
  type Interval,
} from "../../../src/scores/intervals/bootstrap";

/**
 * The interval of any function of a list of predictions, which is called with a new list for each resample: what the
 * weighed statistics must agree with.
 *
 * @param statistic - NaN where it is undefined; never called with an empty list.
 */
export function bootstrapInterval<T extends Clustered>(
  items: readonly T[],
  statistic: (sample: readonly T[]) => number,
  options: BootstrapOptions = {},
): Interval {
  const prepare = (all: readonly T[]) => (weights: Float64Array) => {
    const sample: T[] = [];
    all.forEach((item, i) => {
      for (let time = 0; time < weights[i]!; time++) sample.push(item);
    });
    return { value: statistic(sample) };
  };
  return bootstrapIntervals([items], prepare, options).value;
}
