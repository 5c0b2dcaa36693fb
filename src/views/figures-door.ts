// One door for notebooks: every picture that can be made of numbers.

export * from "./analysis/calibration-figures";
export * from "./analysis/cross-validation-figures";
export { plotErrorQuality } from "./analysis/error-displays";
export * from "./analysis/evaluation-figures";
export * from "./analysis/group-displays";
export * from "./analysis/interval-displays";
export * from "./analysis/leakage-figures";
export * from "./analysis/run-figures";
export { plotStains } from "./analysis/stain-figures";
export * from "./analysis/threshold-figure";
export * from "./analysis/triage-displays";
export * from "./dataset/dataset-figures";
export * from "./dataset/feature-figures";
export { type Figure, figure, plotlyMimeType } from "./display/figure";
export * from "./live/training-figures";
