import { join } from "node:path";
import { openDataset } from "../src/data/dataset";
import { ensureDemoDataset } from "../src/data/demo/demo";
import { makeSplit } from "../src/data/split/split";
import { loadBackbone } from "../src/model/backbones/backbone";
import { buildClassifier, saveClassifier } from "../src/model/classifier/classifier";
import { extractFeatures } from "../src/model/features/features";
import { completeSettings } from "../src/runtime/settings";
import { trainHead } from "../src/training/head/train";

/** A saved classifier, and images to ask it about. */
export interface SmallClassifier {
  folder: string;
  images: string[];
}

/**
 * Trains a classifier on ResNet50 for a few epochs on the synthetic set: what is done with it is measured, not what it
 * learned.
 *
 * @param folder - Where it is saved.
 */
export async function trainSmallClassifier(weights: string, folder: string): Promise<SmallClassifier> {
  const settings = completeSettings({ backbone: "resnet50", weights, epochs: 3 });
  const dataset = await openDataset(await ensureDemoDataset());
  const { backbone } = await loadBackbone(settings);
  const features = await extractFeatures(dataset, backbone);
  const split = makeSplit(dataset, { by: settings.split, seed: settings.seed });
  const labels = dataset.records.map(({ label }) => label);
  const classCount = dataset.classes.length;
  const { head } = await trainHead({ features, labels, split, classCount, settings, showProgress: false });
  await saveClassifier(folder, buildClassifier({ backbone, head, dataset, settings, runId: null }));
  backbone.dispose();
  return { folder, images: dataset.records.map(({ file }) => join(dataset.folder, file)) };
}
