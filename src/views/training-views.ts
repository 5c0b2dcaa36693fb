// One door for the training notebook: what it shows while it trains, and of all runs.
export { tuneLive } from "./fine-tuning-view";
export { type LiveTraining, type LiveTrainingOptions, liveTraining } from "./live-training";
export { compareKeptRuns } from "./run-comparison";
export { plotRuns } from "./run-curves";
export { plotRunHistory } from "./run-history";
export { showRuns } from "./run-table";
