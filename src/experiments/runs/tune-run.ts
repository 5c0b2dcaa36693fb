import { requireOpen } from "../../model/backbones/architecture";
import { loadBackbone } from "../../model/backbones/backbone";
import { classifierTransform } from "../../model/classifier/classifier";
import type { Head } from "../../model/classifier/head";
import { describeActivations } from "../../model/features/activations";
import { originKey } from "../../model/features/features-origin";
import { attempt } from "../../runtime/attempt";
import { sha256 } from "../../runtime/cache/content-hash";
import type { FineTuneSettings } from "../../runtime/settings";
import { type FineTuning, fineTune } from "../../training/fine-tuning/fine-tune";
import {
  keepTuningIn,
  type TuningKeeper,
  type TuningProgress,
} from "../../training/fine-tuning/tuning-progress";
import { type RunListener, watched } from "./run-listener";
import type { RunMaterial } from "./run-material";

/** Raised by hand when fine-tuning computes something else than before, or keeps it otherwise. */
const keeperVersion = 1;

/**
 * Where the fine-tuning of these settings keeps how far it is. Everything that decides what is trained is in its key.
 *
 * @returns Its `save` only says it if there is no room: the training needs none of it.
 */
export function tuningKeeperOf(
  { settings, dataset, split, features }: RunMaterial,
  { say }: RunListener,
): TuningKeeper {
  const labels = dataset.records.map(({ label, patient }) => [label, patient]);
  const { train, validation } = split;
  const made = [keeperVersion, settings, originKey(features.origin!), features.fittedOn ?? [], labels];
  const keeper = keepTuningIn(sha256(JSON.stringify([...made, train, validation])));
  let told = false;
  return {
    ...keeper,
    async save(progress) {
      const kept = await attempt(() => keeper.save(progress));
      if (kept.ok === true || told) return;
      told = true;
      say?.(`This fine-tuning can't be gone on with if it is stopped: ${kept.reason}`);
    },
  };
}

async function goOn(keeper: TuningKeeper, { say }: RunListener): Promise<TuningProgress | null> {
  const saved = await keeper.load();
  if (saved !== null) say?.(`Goes on from epoch ${saved.history.length}, where it was stopped.`);
  return saved;
}

/**
 * Fine-tunes the backbone of a run, watched, starting from a head that was trained on its features.
 *
 * @param keeper - Where it keeps each whole epoch, and goes on from; by default nowhere.
 * @returns The caller disposes of its backbone, which is freed whole.
 */
export async function tuneRun(
  tuning: FineTuneSettings,
  material: Pick<RunMaterial, "settings" | "dataset" | "split" | "treatment">,
  head: Head,
  listener: RunListener = {},
  keeper: TuningKeeper | null = null,
): Promise<FineTuning> {
  const { settings, dataset, split, treatment } = material;
  const { backbone: loaded } = await loadBackbone(settings);
  try {
    const base = requireOpen(loaded, "Fine-tuning");
    const images = split.train.length + split.validation.length;
    listener.say?.(describeActivations(base, tuning.from, images));
    const planned = { dataset, split, settings: { epochs: tuning.epochs, seed: settings.seed } };
    const transform = classifierTransform(treatment);
    const tuned = await watched(listener, planned, (calls) =>
      fineTune({
        ...{ ...tuning, dataset, split, settings, head, transform, backbone: base, ...calls },
        ...(keeper === null ? {} : { keeper: { load: () => goOn(keeper, listener), save: keeper.save } }),
      }),
    );
    const { backbone } = tuned;
    const dispose = () => {
      backbone.dispose();
      base.dispose();
    };
    return { ...tuned, backbone: { ...backbone, dispose } };
  } catch (error) {
    loaded.dispose();
    throw error;
  }
}
