import type { DecisionRule } from "../model/classifier/decision";
import { calibratePredictions, fitTemperature, type TemperatureFit } from "./calibration";
import type { Prediction } from "./prediction";
import { brierScore, computeReliability, type Reliability } from "./probability-scores";

/** How far probabilities can be taken at their word. */
export interface JudgedProbabilities {
  reliability: Reliability;
  brier: number;
}

/** A temperature fitted on validation, and what it does to the test part's probabilities. */
export interface CalibratedTest {
  fit: TemperatureFit;
  before: JudgedProbabilities;
  after: JudgedProbabilities;
}

function judge(predictions: readonly Prediction[], positiveClass: number | null): JudgedProbabilities {
  const labels = predictions.map(({ label }) => label);
  const probabilities = predictions.map((prediction) => prediction.probabilities);
  return {
    reliability: computeReliability(labels, probabilities, { positiveClass }),
    brier: brierScore(labels, probabilities),
  };
}

/**
 * Fits a temperature on a run's validation predictions, and judges its test predictions before and after.
 *
 * @throws RangeError if one of the two parts is empty.
 */
export function calibrateTest(predictions: readonly Prediction[], rule: DecisionRule): CalibratedTest {
  const fit = fitTemperature(predictions.filter(({ split }) => split === "validation"));
  const test = predictions.filter(({ split }) => split === "test");
  const calibrated = calibratePredictions(test, fit.temperature, rule);
  return { fit, before: judge(test, rule.positiveClass), after: judge(calibrated, rule.positiveClass) };
}
