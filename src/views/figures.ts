// One door for notebooks: every picture that can be made of numbers.
export * from "./dataset-figures";
export * from "./evaluation-figures";
export * from "./feature-figures";
export { type Figure, figure, plotlyMimeType } from "./figure";
export * from "./run-figures";
export * from "./training-figures";
