import type { AnalysisSettings } from "../../../src/experiments/analysis-settings";
import { createRandom } from "../../../src/runtime/random";
import type { Prediction } from "../../../src/scores/prediction";

export const exampleAsked: AnalysisSettings = {
  targetSensitivity: 0.9,
  triageLevel: "image",
  prevalence: 0.1,
  resamples: 200,
  auditSeeds: 2,
  folds: 3,
  repeats: 1,
  foldFiles: null,
  explainedErrors: 2,
  refitStain: false,
  stainAblation: false,
};

/** Predictions of 6 validation and 8 test patients, 5 images each, right more often than not. */
export function manyPredictions(patientName: (i: number) => string = String): Prediction[] {
  const random = createRandom(7);
  return Array.from({ length: 14 }, (_, patient) =>
    Array.from({ length: 5 }, (_, image): Prediction => {
      const label = patient % 2;
      const malignant = Math.min(0.99, Math.max(0.01, 0.3 + 0.4 * label + 0.25 * random.normal()));
      return {
        file: `${patientName(patient)}-${image}.png`,
        split: patient < 6 ? "validation" : "test",
        patient: patientName(patient),
        label,
        probabilities: [1 - malignant, malignant],
        predicted: malignant >= 0.5 ? 1 : 0,
      };
    }),
  ).flat();
}
