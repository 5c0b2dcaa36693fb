// One door for the analysis notebook: everything that is computed from predictions and features.
export { type AnalysisSettings, firstSeeds } from "./analysis-settings";
export { calibrateTest } from "./calibrated-test";
export { crossValidate } from "./cross-validation";
export { chooseExamples } from "./examples-to-explain";
export { refitFeatures } from "./features-for";
export { frozenFeatures } from "./frozen-features";
export { scoreGroups } from "./group-scores";
export { auditLeakage } from "./leakage";
export { recognitionRates } from "./patient-scores";
export { requirePositiveClass, saveTriage, triageRun } from "./run-triage";
export { scoreWithIntervals } from "./score-intervals";
export { compareStains } from "./stain-ablation";
export { sliderThresholds, sweepThresholds } from "./threshold-sweep";
export { crossValidateTriage } from "./triage-report";
