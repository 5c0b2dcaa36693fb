// One door for the analysis notebook: its tables, grids and sentences; figures have a door of their own.

export { saveAnalysis } from "./analysis/analysis";
export { calibrationSeries, describeCalibration } from "./analysis/calibration-figures";
export { collectAnalysis } from "./analysis/collect-analysis";
export { describeCrossValidation } from "./analysis/cross-validation-figures";
export { errorsTable } from "./analysis/error-displays";
export { describeSanity, explanationGrid, sanityRow } from "./analysis/explanation-grid";
export { explainPredictions, measurePredicted } from "./analysis/explanations";
export { patientScoresTable } from "./analysis/group-displays";
export { intervalsTable } from "./analysis/interval-displays";
export { describeNeighbours } from "./analysis/leakage-figures";
export { describeStains } from "./analysis/stain-figures";
export { describeFoldThresholds, describeTriage, triageTable } from "./analysis/triage-displays";
export { pictureWork, workListDisplay } from "./analysis/work-list";
export { displayOf, tell } from "./display/attempt-display";
export { positiveNameOf } from "./display/findings";
export { askPicture } from "./pictures/tile-displays";
