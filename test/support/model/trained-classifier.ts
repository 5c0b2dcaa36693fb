import { join } from "node:path";
import { openDataset } from "../../../src/data/dataset";
import { generateDemoDataset } from "../../../src/data/demo/demo";
import type { Backbone } from "../../../src/model/backbones/backbone";
import { buildClassifier, type Classifier } from "../../../src/model/classifier/classifier";
import { buildHead, type Head } from "../../../src/model/classifier/head";
import { extractFeatures } from "../../../src/model/features/features";
import { inMemory } from "./values-in-memory";

/** Drawn tissue in a folder: 4 patients, one image each, 175 × 115 pixels; returns the files. */
export async function drawTissue(folder: string): Promise<string[]> {
  await generateDemoDataset(folder, { patients: 4, imagesPerPatient: 1, width: 175, height: 115, seed: 3 });
  const { records } = await openDataset(folder);
  return records.map(({ file }) => join(folder, file));
}

/** Puts the features' mean at zero and their spread at one, so that a random head tells images apart as a trained one does. */
function adaptFirstLayer({ layers }: Head, features: Float32Array, width: number): Head {
  const rows = features.length / width;
  const [first, ...rest] = layers;
  const kernel = first!.kernel.slice();
  const bias = first!.bias.slice();
  for (let input = 0; input < width; input++) {
    const values = Array.from({ length: rows }, (_, row) => features[row * width + input]!);
    const mean = values.reduce((sum, value) => sum + value, 0) / rows;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows;
    for (let unit = 0; unit < first!.units; unit++) {
      const index = input * first!.units + unit;
      kernel[index]! *= 2 / Math.sqrt(variance + 1e-3);
      bias[unit]! -= mean * kernel[index]!;
    }
  }
  return { layers: [{ ...first!, kernel, bias }, ...rest] };
}

/**
 * A classifier whose probabilities lie far apart on these images, as a trained one's do: small differences between two
 * programs are seen in them.
 */
export async function decidedClassifier(
  backbone: Backbone,
  folder: string,
  changes: Partial<Classifier> = {},
): Promise<Classifier> {
  const dataset = await openDataset(folder);
  const { values, width } = await extractFeatures(dataset, backbone);
  const untrained = buildHead({
    inputs: width,
    hiddenUnits: [16, 8],
    classCount: dataset.classes.length,
    seed: 4,
  });
  const head = adaptFirstLayer(untrained, inMemory(values), width);
  const settings = { seed: 4, weights: null };
  return { ...buildClassifier({ backbone, head, dataset, settings, runId: "run-1" }), ...changes };
}
