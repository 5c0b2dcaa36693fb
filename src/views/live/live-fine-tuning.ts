import type { Dataset } from "../../data/dataset";
import type { Split } from "../../data/split/split";
import { loadBackbone } from "../../model/backbones/backbone";
import { type Classifier, classifierTransform } from "../../model/classifier/classifier";
import { describeActivations } from "../../model/features/activations";
import type { FineTuneSettings, Settings } from "../../runtime/settings";
import { type FineTuning, fineTune } from "../../training/fine-tuning/fine-tune";
import { describeFineTuning } from "../display/findings";
import { liveTraining } from "./live-training";

/** What is fine-tuned in a notebook. */
export interface LiveFineTuning {
  dataset: Dataset;
  split: Split;
  settings: Settings;
  /** Whose head was trained on the frozen backbone's features. */
  classifier: Pick<Classifier, "head" | "stain">;
}

/**
 * Fine-tunes the backbone of the settings in the running cell: says what disk it takes, shows it live as training the
 * head is shown, and says what it brought.
 *
 * @param tuning - Null does nothing.
 * @returns The caller disposes of its backbone, which is freed whole.
 */
export async function tuneLive(
  tuning: FineTuneSettings | null,
  { dataset, split, settings, classifier }: LiveFineTuning,
): Promise<FineTuning | null> {
  if (tuning === null) {
    console.log("Not done: the backbone stays frozen, since the settings have fineTune: null.");
    return null;
  }
  const { backbone: base } = await loadBackbone(settings);
  try {
    console.log(describeActivations(base, tuning.from, split.train.length + split.validation.length));
    const { epochs } = tuning;
    const live = await liveTraining({ dataset, split, settings: { epochs, seed: settings.seed } });
    const { onBatch, onEpoch } = live;
    const { head } = classifier;
    const transform = classifierTransform(classifier);
    const task = { ...tuning, dataset, split, settings, head, transform, backbone: base };
    const tuned = await fineTune({ ...task, onBatch, onEpoch, showProgress: false });
    live.finish(tuned);
    console.log(describeFineTuning(tuned));
    const { backbone } = tuned;
    const dispose = () => {
      backbone.dispose();
      base.dispose();
    };
    return { ...tuned, backbone: { ...backbone, dispose } };
  } catch (error) {
    base.dispose();
    throw error;
  }
}
