// Trains with settings given as JSON, and is killed when the first epoch of fine-tuning has ended.
import { trainRun } from "../../../src/experiments/runs/train-run";
import { completeSettings } from "../../../src/runtime/settings";

let trainings = 0;
const watch = async () => {
  trainings++;
  const onEpoch = () => {
    if (trainings === 2) process.kill(process.pid, "SIGKILL");
  };
  return { onEpoch, finish: () => undefined };
};

trainRun(completeSettings(JSON.parse(process.argv[2]!)), { watch }).then(() => {
  throw new Error("It was not killed.");
});
