// One door for the training notebook: what it shows while it trains, and of all runs.

export { gatherLive, showFineTuning, trainLive, trainLiveOn } from "./live/live-runs";
export { type LiveTraining, type LiveTrainingOptions, liveTraining } from "./live/live-training";
export { compareKeptRuns } from "./runs/run-comparison";
export { plotRuns } from "./runs/run-curves";
export { plotRunHistory } from "./runs/run-history";
export { showRuns } from "./runs/run-table";
