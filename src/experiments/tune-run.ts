import { loadBackbone } from "../model/backbones/backbone";
import { classifierTransform } from "../model/classifier/classifier";
import type { Head } from "../model/classifier/head";
import { describeActivations } from "../model/features/activations";
import type { FineTuneSettings } from "../runtime/settings";
import { type FineTuning, fineTune } from "../training/fine-tuning/fine-tune";
import { type RunListener, watched } from "./run-listener";
import type { RunMaterial } from "./run-material";

/**
 * Fine-tunes the backbone of a run, watched, starting from a head that was trained on its features.
 *
 * @returns The caller disposes of its backbone, which is freed whole.
 */
export async function tuneRun(
  tuning: FineTuneSettings,
  material: Pick<RunMaterial, "settings" | "dataset" | "split" | "treatment">,
  head: Head,
  listener: RunListener = {},
): Promise<FineTuning> {
  const { settings, dataset, split, treatment } = material;
  const { backbone: base } = await loadBackbone(settings);
  try {
    const images = split.train.length + split.validation.length;
    listener.say?.(describeActivations(base, tuning.from, images));
    const planned = { dataset, split, settings: { epochs: tuning.epochs, seed: settings.seed } };
    const transform = classifierTransform(treatment);
    const tuned = await watched(listener, planned, (calls) =>
      fineTune({ ...tuning, dataset, split, settings, head, transform, backbone: base, ...calls }),
    );
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
