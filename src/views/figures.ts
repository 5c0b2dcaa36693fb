// One door for notebooks: every picture that can be made of numbers.
export * from "./calibration-figures";
export * from "./cross-validation-views";
export * from "./dataset-figures";
export { plotErrorQuality } from "./error-views";
export * from "./evaluation-figures";
export * from "./feature-figures";
export { type Figure, figure, plotlyMimeType } from "./figure";
export * from "./group-views";
export * from "./interval-views";
export * from "./leakage-views";
export * from "./run-figures";
export { plotStains } from "./stain-views";
export * from "./threshold-figure";
export * from "./training-figures";
export * from "./triage-views";
