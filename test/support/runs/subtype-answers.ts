import type { Prediction } from "../../../src/scores/prediction";

/** Two benign subtypes of BreaKHis, and two malignant ones. */
export const subtypes: string[] = ["adenosis", "fibroadenoma", "ductal carcinoma", "papillary carcinoma"];

/** An answer about a patient's only image, of the test part. */
export const subtypeAnswer = (patient: string, label: number, probabilities: number[]): Prediction => ({
  file: `${patient}.png`,
  split: "test",
  patient,
  label,
  probabilities,
  predicted: probabilities.indexOf(Math.max(...probabilities)),
});
