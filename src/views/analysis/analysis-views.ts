// One door for the analysis notebook: its tables, grids and sentences; figures have a door of their own.

export { tell, viewOf } from "../display/attempt-view";
export { positiveNameOf } from "../display/findings";
export { saveAnalysis } from "./analysis";
export { calibrationSeries, describeCalibration } from "./calibration-figures";
export { collectAnalysis, summarizeValidation } from "./collect-analysis";
export { errorsTable } from "./error-views";
export { describeSanity, explanationGrid, sanityRow } from "./explanation-grid";
export { explainPredictions, measurePredicted } from "./explanations";
export { patientScoresTable } from "./group-views";
export { intervalsTable } from "./interval-views";
export { describeNeighbours } from "./leakage-views";
export { describeStains } from "./stain-views";
export { describeFoldThresholds, describeTriage, triageTable } from "./triage-views";
export { pictureWork, workListView } from "./work-list";
