import type { SplitPart } from "../../../src/data/split/split-value";
import type { Prediction } from "../../../src/scores/prediction";

/** A prediction of a two-class problem, decided at 0.5. */
export function examplePrediction(
  patient: string | null,
  label: number,
  probabilityMalignant: number,
  changes: Partial<Prediction> = {},
): Prediction {
  return {
    file: `${label === 1 ? "malignant" : "benign"}/${patient}-${probabilityMalignant}.png`,
    split: "test" as SplitPart,
    patient,
    label,
    probabilities: [1 - probabilityMalignant, probabilityMalignant],
    predicted: probabilityMalignant >= 0.5 ? 1 : 0,
    ...changes,
  };
}
