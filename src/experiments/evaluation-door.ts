// One door for the analysis notebook: everything that is computed from predictions and features.

export { calibrateTest } from "../scores/calibrated-test";
export { chooseExamples } from "../scores/examples-to-explain";
export { scoreGroups } from "../scores/group-scores";
export { scoreWithIntervals } from "../scores/intervals/score-intervals";
export { recognitionRates } from "../scores/patient-scores";
export { sliderThresholds, thresholdCurve } from "../scores/triage/threshold-curve";
export { crossValidateTriage } from "../scores/triage/triage-report";
export { binaryAnswers } from "../training/runs/binary-answers";
export { type AnalysisSettings, firstSeeds } from "./analysis-settings";
export { crossValidate } from "./cross-validation";
export { keepEnsemble } from "./ensemble";
export { refitFeatures } from "./features-for";
export { frozenFeatures } from "./frozen-features";
export { auditLeakage } from "./leakage";
export { evaluateFoldFiles } from "./published/fold-files";
export { loadOfficialFolds } from "./published/official-folds";
export { describeFoldFiles } from "./published/published-text";
export { requirePositiveClass, saveTriage, triageRun } from "./runs/run-triage";
export { compareStains } from "./stain-ablation";
export { summarizeValidation } from "./summarize-validation";
