import type { Dataset } from "../../../src/data/dataset";
import type { Features } from "../../../src/model/features/features";
import { createRandom } from "../../../src/runtime/random";
import type { Prediction } from "../../../src/scores/prediction";
import type { TrainingSettings } from "../../../src/training/head/train";
import { exampleDataset, exampleRecord } from "../data/example-dataset";
import { examplePrediction } from "./example-run";

/** A small head that learns a cohort in a moment. */
export const quickTraining: TrainingSettings = {
  hiddenUnits: [8],
  dropout: 0,
  l2: 1e-4,
  learningRate: 0.01,
  epochs: 12,
  batchSize: 32,
  classWeights: "balanced",
  patience: 4,
  seed: 3,
};

/** Patients with a look of their own: each has an offset in feature space, larger or smaller than the disease's. */
export interface CohortOptions {
  patients: number;
  imagesPerPatient: number;
  seed: number;
  width?: number;
  /** How far the classes lie apart. */
  disease?: number;
  /** How far patients lie apart. */
  identity?: number;
}

/** A data set without image files, and features of it; every third patient is benign. */
export function exampleCohort(options: CohortOptions): { dataset: Dataset; features: Features } {
  const { patients, imagesPerPatient, seed, width = 24, disease = 1, identity = 0 } = options;
  const random = createRandom(seed);
  const records = Array.from({ length: patients * imagesPerPatient }, (_, row) => {
    const patient = Math.floor(row / imagesPerPatient);
    const label = patient % 3 === 0 ? 0 : 1;
    return exampleRecord({
      file: `${String(row).padStart(4, "0")}.png`,
      label,
      patient: `p${patient}`,
      slide: `p${patient}`,
      subtype: label === 0 ? "A" : "DC",
      magnification: row % 2 === 0 ? 40 : 400,
      sha256: `${row}`,
    });
  });
  const looks = Array.from({ length: patients }, () =>
    Array.from({ length: width }, () => identity * random.normal()),
  );
  const values = Float32Array.from({ length: records.length * width }, (_, i) => {
    const row = Math.floor(i / width);
    const feature = i % width;
    const look = looks[Math.floor(row / imagesPerPatient)]![feature]!;
    return look + (feature < 4 ? disease * records[row]!.label : 0) + 0.3 * random.normal();
  });
  const count = records.length;
  const features: Features = {
    backbone: "resnet50",
    width,
    values,
    count,
    complete: true,
    computed: count,
    fromCache: 0,
    seconds: 0,
  };
  return { dataset: exampleDataset({ records }), features };
}

/** Predictions whose errors cluster by patient; every third patient is benign. */
export function clusteredPredictions(patients: number, imagesPerPatient: number, seed: number): Prediction[] {
  const random = createRandom(seed);
  return Array.from({ length: patients }, (_, patient) => {
    const label = patient % 3 === 0 ? 0 : 1;
    const level = random.normal() + (label === 1 ? 0.8 : -0.8);
    return Array.from({ length: imagesPerPatient }, (_, image) => {
      const probability = 1 / (1 + Math.exp(-(level + 0.3 * random.normal())));
      return examplePrediction(`p${patient}`, label, probability, { file: `${patient}-${image}.png` });
    });
  }).flat();
}
