import { describeSplit } from "../../data/split/split";
import type { RunListener } from "../../experiments/runs/run-listener";
import { gatherMaterial, type RunMaterial } from "../../experiments/runs/run-material";
import { type TrainedRun, trainOn, trainRun } from "../../experiments/runs/train-run";
import { tuneRun } from "../../experiments/runs/tune-run";
import { attempt } from "../../runtime/attempt";
import { completeFineTuning, type FineTuneSettings, type Settings } from "../../runtime/settings";
import { describeFineTuning, describeTraining } from "../display/findings";
import { liveTraining } from "./live-training";

/** Prints what is said, and draws each training in the running cell. */
const inCell: RunListener = { say: (sentence) => console.log(sentence), watch: liveTraining };

/** Says how the split was made, how training ended and where the run is. */
function describeTrained({ dataset, split, training, fineTuning, run }: TrainedRun): string {
  return [
    describeSplit(dataset, split).sentence,
    describeTraining(training),
    ...(fineTuning === null ? [] : [describeFineTuning(fineTuning)]),
    `Kept as run ${run.id}, in ${run.folder}`,
  ].join("\n");
}

/**
 * Trains with these settings in the running cell, shown as it goes on, and keeps the run: the settings are all that it
 * takes, whichever was changed; what they need is computed if it isn't there.
 *
 * @returns Null where it was stopped before there was anything to keep.
 * @throws Error as `trainRun` does.
 *
 * @example
 * await trainLive(resolveSettings({ learningRate: 3e-3 }));
 */
export async function trainLive(settings: Settings): Promise<TrainedRun | null> {
  const trained = await trainRun(settings, inCell);
  if (trained !== null) console.log(describeTrained(trained));
  return trained;
}

/** The same with material that is ready, such as features that another run's backbone has computed. */
export async function trainLiveOn(material: RunMaterial): Promise<TrainedRun | null> {
  const trained = await trainOn(material, inCell);
  if (trained !== null) console.log(describeTrained(trained));
  return trained;
}

/**
 * Gets the images, the split and the features of these settings ready in the running cell, and says what they are.
 *
 * @throws Error as `gatherMaterial` does.
 */
export async function gatherLive(settings: Settings): Promise<RunMaterial> {
  const material = await gatherMaterial(settings, inCell.say);
  console.log(`${material.explanation}\n${material.description}`);
  return material;
}

/**
 * Shows what fine-tuning is on a synthetic run whose backbone stayed frozen, and keeps nothing of it. A run that was
 * fine-tuned is shown where it is trained, and real images are only fine-tuned if the settings ask for it.
 *
 * @param trained - What the training cell gave.
 */
export async function showFineTuning(
  trained: TrainedRun | null,
  given: Partial<FineTuneSettings> = { epochs: 3 },
): Promise<void> {
  if (trained === null) return console.log("Not shown: the training cell has no result. Run it first.");
  if (trained.fineTuning !== null) return console.log(describeFineTuning(trained.fineTuning));
  if (!trained.dataset.synthetic) {
    return console.log("Not done: the backbone stays frozen, since the settings have fineTune: null.");
  }
  const { head } = trained.training;
  const tuned = await attempt(() => tuneRun(completeFineTuning(given), trained, head, inCell));
  if (tuned.ok === false) return console.log(`Not shown: ${tuned.reason}`);
  tuned.value.backbone.dispose();
  console.log(`${describeFineTuning(tuned.value)} Only shown: the run keeps its frozen backbone.`);
}
