// One door for notebooks: every picture that can be made of numbers.

export * from "../dataset/dataset-figures";
export * from "../dataset/feature-figures";
export { type Figure, figure, plotlyMimeType } from "../display/figure";
export * from "../live/training-figures";
export * from "./calibration-figures";
export * from "./cross-validation-views";
export { plotErrorQuality } from "./error-views";
export * from "./evaluation-figures";
export * from "./group-views";
export * from "./interval-views";
export * from "./leakage-views";
export * from "./run-figures";
export { plotStains } from "./stain-views";
export * from "./threshold-figure";
export * from "./triage-views";
