// Trains with settings given as JSON, fine-tuning included, and keeps the run.
import { trainRun } from "../../../src/experiments/runs/train-run";
import { completeSettings } from "../../../src/runtime/settings";

trainRun(completeSettings(JSON.parse(process.argv[2]!))).then((trained) => {
  if (trained === null) throw new Error("It was stopped.");
});
