import type { GivenSettings } from "./settings";

/**
 * Settings under one name; what stands beside one in a cell, or is given as a flag, takes the place of its own.
 *
 * @example
 * resolveSettings({ ...presets.patients, l2: 0.1 }).hiddenUnits; // []
 */
export const presets: Readonly<Record<"perceptilabs" | "patients", GivenSettings>> = {
  // What its article leaves open, and is assumed here, stands in src/experiments/published/article.ts.
  perceptilabs: {
    split: "image",
    hiddenUnits: [128, 64],
    fineTune: { from: "all", epochs: 3, patience: 3 },
  },
  // Made for few patients with many images each, who are asked about as patients; the README says what it brings.
  patients: {
    split: "patient",
    // Each patient counts as much as any other: else most is learned of whoever was photographed most.
    classWeights: "patients",
    // Tissue has no top: what changes when an image is turned is noise, in training and in the answer.
    augmentation: "turns",
    averageViews: true,
    // A plane through the features, held back strongly: a few dozen patients don't determine more.
    hiddenUnits: [],
    dropout: 0,
    l2: 0.3,
    // In small steps, so that the epoch that validation happens to like best matters little.
    learningRate: 3e-4,
    epochs: 100,
    patience: 30,
  },
};

/** Presets of which every setting can be cross-validated: those that leave the backbone as it is. */
export const evaluablePresets: readonly ["patients"] = ["patients"];
