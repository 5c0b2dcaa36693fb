// Opens a folder of images and computes their features in a process of its own; prints seconds and peak memory.
import { openDataset } from "../src/data/dataset";
import { loadBackbone } from "../src/model/backbones/backbone";
import { extractFeatures } from "../src/model/features/features";
import { peakMegabytes } from "./peak-memory";

/** Small, so that what is measured is what surrounds the network. */
const inputSize = 64;

async function main(): Promise<void> {
  const folder = process.argv[2]!;
  const { backbone } = await loadBackbone({ backbone: "efficientnet-lite0", weights: null, inputSize });
  const startedAt = performance.now();
  const dataset = await openDataset(folder);
  const { computed } = await extractFeatures(dataset, backbone);
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(JSON.stringify({ computed, seconds, peakMb: peakMegabytes() }));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
