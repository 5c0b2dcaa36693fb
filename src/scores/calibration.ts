import { type DecisionRule, decide } from "../model/classifier/decision";
import { applyTemperature } from "../model/classifier/temperature";
import { largest, smallest } from "../runtime/many";
import { refusal } from "../runtime/refusal";
import { bisect } from "./intervals/normal-distribution";
import type { Prediction } from "./prediction";
import { negativeLogLikelihood, smallestProbability } from "./probability-scores";

export { applyTemperature } from "../model/classifier/temperature";

/** A temperature and what it does to the predictions that it was fitted on. */
export interface TemperatureFit {
  /** Above 1 where the probabilities were too sure. */
  temperature: number;
  /** Images it was fitted on. */
  images: number;
  /** Mean negative log-likelihood of the validation images, before and after; the latter is never larger. */
  lossBefore: number;
  lossAfter: number;
  /** Whether the best temperature lies beyond the range: with (nearly) no errors, or worse than chance. */
  atBound: boolean;
  /** What was found, in a sentence or two. */
  description: string;
}

/** Beyond these, validation has too few errors (or too little signal) to say how sure to be. */
export const temperatureRange = { lowest: 0.05, highest: 20 };

const logarithms = (row: ArrayLike<number>): number[] =>
  Array.from(row, (probability) => Math.log(Math.max(probability, smallestProbability)));

/** How the loss rises with 1 / temperature: the mean over images of the expected minus the true class's logarithm. */
function slope(logs: readonly (readonly number[])[], labels: readonly number[], temperature: number): number {
  let total = 0;
  logs.forEach((row, i) => {
    const highest = largest(row);
    let [sum, weighted] = [0, 0];
    for (const value of row) {
      const power = Math.exp((value - highest) / temperature);
      sum += power;
      weighted += power * value;
    }
    total += weighted / sum - row[labels[i]!]!;
  });
  return total;
}

/**
 * Fits a temperature on predictions of the validation part: the one with the lowest negative log-likelihood
 * (Guo et al., ICML 2017). The loss is convex in 1 / temperature, so its slope is bisected.
 *
 * Works for any number of classes. Test predictions are refused: a temperature fitted on them would report how well it
 * fits them.
 *
 * @throws Error if a prediction is not of the validation part; RangeError if there are none.
 */
export function fitTemperature(
  predictions: readonly Pick<Prediction, "label" | "probabilities" | "split">[],
): TemperatureFit {
  const foreign = predictions.find(({ split }) => split !== "validation");
  if (foreign !== undefined) {
    throw refusal(
      `A temperature is fitted on validation predictions only, found one of the part ${foreign.split}. Filter them first.`,
    );
  }
  return fitOnRows(
    predictions.map(({ label }) => label),
    predictions.map(({ probabilities }) => probabilities),
  );
}

function fitOnRows(labels: readonly number[], probabilities: readonly number[][]): TemperatureFit {
  const lossBefore = negativeLogLikelihood(labels, probabilities);
  const logs = probabilities.map(logarithms);
  const { lowest, highest } = temperatureRange;
  // As the temperature rises, 1 / temperature falls, and so does the slope.
  const falls = (temperature: number) => slope(logs, labels, temperature) <= 0;
  const flat = logs.every((row) => largest(row) === smallest(row));
  const unbounded = bestWithin(falls, lowest, highest);
  const temperature = flat ? 1 : unbounded;
  const lossAfter = negativeLogLikelihood(
    labels,
    probabilities.map((row) => applyTemperature(row, temperature)),
  );
  const fit = { images: labels.length, lossBefore };
  // Where nothing can be gained, rounding could make the fitted one worse by a hair.
  if (!(lossAfter < lossBefore)) {
    return {
      ...fit,
      temperature: 1,
      lossAfter: lossBefore,
      atBound: false,
      description: sentence(1, false, labels.length),
    };
  }
  const atBound = temperature === lowest || temperature === highest;
  return {
    ...fit,
    temperature,
    lossAfter,
    atBound,
    description: sentence(temperature, atBound, labels.length),
  };
}

function bestWithin(falls: (temperature: number) => boolean, lowest: number, highest: number): number {
  if (falls(lowest)) return lowest;
  if (!falls(highest)) return highest;
  return Math.exp(bisect(Math.log(lowest), Math.log(highest), (log) => falls(Math.exp(log))));
}

function sentence(temperature: number, atBound: boolean, images: number): string {
  const value = temperature.toFixed(2);
  if (temperature === 1) return `No temperature fits the ${images} validation images better than 1.`;
  const kind = temperature > 1 ? "too sure" : "not sure enough";
  const found = `On ${images} validation images the probabilities were ${kind}; a temperature of ${value} fits best.`;
  return atBound
    ? `${found} It is the end of the range that is allowed: validation has too few errors, or too little signal, to tell.`
    : found;
}

/**
 * Applies a temperature to predictions, and decides anew.
 *
 * The most probable class stays; with two classes and another threshold than one half decisions can change, so choose
 * thresholds after calibration.
 *
 * @returns Copies.
 */
export function calibratePredictions<T extends Prediction>(
  predictions: readonly T[],
  temperature: number,
  rule: DecisionRule,
): T[] {
  return predictions.map((prediction) => {
    const probabilities = applyTemperature(prediction.probabilities, temperature);
    return { ...prediction, probabilities, predicted: decide(probabilities, rule) };
  });
}
