import { resolve } from "node:path";
import { openDataset } from "../../data/dataset";
import { fingerprintImages } from "../../data/dataset-fingerprint";
import { ensureDemoDataset } from "../../data/demo/demo";
import { resolveLabels } from "../../data/layouts/layouts";
import type { Dataset } from "../../data/record";
import { makeSplit, type Split } from "../../data/split/split";
import { requireOpen } from "../../model/backbones/architecture";
import {
  type Backbone,
  type LoadedBackbone,
  loadBackbone,
  settingsOf,
  usualSize,
} from "../../model/backbones/backbone";
import { weightsSituation } from "../../model/backbones/weights-location";
import { countValues } from "../../model/features/feature-rows";
import type { Features } from "../../model/features/features";
import { originKey, originOf, treatmentIds } from "../../model/features/features-origin";
import {
  describeCost,
  describeFeatures,
  extractTreated,
  fitTreatment,
  type Treatment,
} from "../../model/features/treatment";
import { otherSituation } from "../../model/other-backbones/load-other";
import { sha256 } from "../../runtime/cache/content-hash";
import { remember } from "../../runtime/device/memory";
import type { Settings } from "../../runtime/settings";
import { countOf } from "../../runtime/words";
import type { RunBase } from "../../training/runs/run-summary";

/** Everything that a head learns from, and what it was made of. */
export interface RunMaterial {
  /** With what was taken for "auto" and for what was left to be found: the folder, the backbone, the user's weights. */
  settings: Settings;
  dataset: Dataset;
  split: Split;
  treatment: Treatment;
  /** Incomplete where their computation was stopped. */
  features: Features;
  /** What the features were computed with: its name, weights and sizes. Its tensors are freed. */
  backbone: Backbone;
  /** Which backbone it is and why, in a sentence. */
  explanation: string;
  /** What was computed and what was there, in a sentence. */
  description: string;
  /** The run whose classifier this one begins with, where it does not begin with the settings alone. */
  base?: RunBase;
}

/** Features of so many bytes stay in memory; those of a large set alone may be more. */
const mostFeatureBytes = 2 ** 30;

// What lies in a file counts too: it takes as much of the disk.
const bytesOf = ({ values, views = [] }: Features): number =>
  [values, ...views.map((view) => view.values)].reduce((sum, table) => sum + 4 * countValues(table), 0);

/** The backbone of settings, which is only loaded once it is needed, and freed with `dispose`. */
function lendBackbone(settings: Settings) {
  let loaded: LoadedBackbone | null = null;
  const load = async (): Promise<LoadedBackbone> => {
    loaded ??= await loadBackbone(settings);
    return loaded;
  };
  const { backbone, backboneDetails, inputSize, weights } = settings;
  const choice = [backbone, backboneDetails, inputSize, weightsSituation(weights), otherSituation(backbone)];
  return {
    load,
    /** Which one it is, from memory if nothing changed that decides about it. */
    known: () => remember("backbones", JSON.stringify(choice), { most: 8 }, load),
    dispose: () => loaded?.backbone.dispose(),
  };
}

/** Where the user's own weights lie; weights that are found without being told stay unnamed. */
function weightsOf({ weights }: Settings, backbone: Backbone): string | null {
  const given = weights ?? (process.env["BREAKHIS_WEIGHTS"] || null);
  return given !== null && backbone.weights.source === "user's file" ? resolve(given) : null;
}

/** What is done to the images: what stains are normalised to is looked up once for each training part. */
function treat(
  dataset: Dataset,
  settings: Settings,
  { train }: Split,
  inputSize: number,
): Promise<Treatment> {
  const { stain, augmentation } = settings;
  const learnedFrom = stain === "as-is" ? [] : train;
  const key = JSON.stringify([
    fingerprintImages(dataset.records),
    inputSize,
    stain,
    augmentation,
    learnedFrom,
  ]);
  const make = () => fitTreatment(dataset, settings, { train: learnedFrom, inputSize });
  return remember("treatments", sha256(key), { most: 32 }, make);
}

/**
 * Gets everything ready that a training with these settings needs: opens the images, splits them, finds the backbone and
 * computes the features. What is unchanged since the last time is taken from memory, what was ever computed from the cache.
 *
 * @returns After a stop, with incomplete features; another call goes on from there.
 * @throws Error that says what is wrong with the settings, the images or the weights.
 *
 * @example
 * const { dataset, split, features } = await gatherMaterial(resolveSettings({ backbone: "resnet50" }));
 */
export async function gatherMaterial(
  asked: Settings,
  say: (sentence: string) => void = () => undefined,
): Promise<RunMaterial> {
  const folder = resolve(asked.data ?? (await ensureDemoDataset()));
  const dataset = await openDataset(folder, { ...asked, stretchTo: asked.inputSize ?? usualSize });
  const split = makeSplit(dataset, { by: asked.split, seed: asked.seed });
  const lent = lendBackbone(asked);
  try {
    const { backbone, explanation } = await lent.known();
    if (asked.fineTune !== null) requireOpen(backbone, "Fine-tuning");
    const settings: Settings = {
      ...asked,
      data: folder,
      labels: asked.labels === null ? null : resolveLabels(folder, asked.labels),
      weights: weightsOf(asked, backbone),
      ...settingsOf(backbone),
    };
    const treatment = await treat(dataset, settings, split, backbone.inputSize);
    const origin = originOf(dataset, backbone, treatmentIds(treatment.stain, treatment.views));
    const key = sha256(JSON.stringify([originKey(origin), treatment.fittedOn]));
    let description = `${countOf(dataset.records.length, "image")}: their features are in memory.`;
    const keeping = {
      most: mostFeatureBytes,
      sizeOf: bytesOf,
      keep: ({ complete }: Features) => complete,
    };
    const features = await remember("features", key, keeping, async () => {
      const cost = describeCost(settings, { images: dataset.records.length });
      if (cost !== "") say(cost);
      const { backbone: network } = await lent.load();
      const made = await extractTreated(dataset, network, treatment);
      description = describeFeatures(made);
      return made;
    });
    return { settings, dataset, split, treatment, features, backbone, explanation, description };
  } finally {
    lent.dispose();
  }
}
