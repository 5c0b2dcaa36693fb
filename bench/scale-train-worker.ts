// Trains a head on made-up features, in memory or from a file, in a process of its own; prints its rate and peak memory.
import { makeRoomForRows } from "../src/model/features/row-file";
import { createRandom } from "../src/runtime/random";
import { resolveSettings } from "../src/runtime/settings";
import { trainHead } from "../src/training/head/train";
import { peakMegabytes } from "./peak-memory";

const width = 2048;
/** Rows differ by a shift and a class; drawing each number would take longer than training. */
const drawn = 4099;

async function makeFeatures(count: number, labels: readonly number[]) {
  const random = createRandom(1);
  const pattern = Float32Array.from({ length: width + drawn }, () => Math.max(0, random.normal()));
  const { values, fill } = await makeRoomForRows(count, width);
  for (let row = 0; row < count; row++) {
    const own = pattern.slice(row % drawn, (row % drawn) + width);
    for (let i = labels[row]!; i < 64; i += 2) own[i]! += random.next();
    fill(row, new Uint8Array(own.buffer));
  }
  return { values, width };
}

async function main(): Promise<void> {
  const [count, epochs] = [Number(process.argv[2]), Number(process.argv[3])];
  const labels = Array.from({ length: count }, (_, row) => row % 2);
  const features = await makeFeatures(count, labels);
  const rows = labels.map((_, row) => row);
  const split = {
    train: rows.filter((row) => row % 20 < 17),
    validation: rows.filter((row) => row % 20 >= 17),
  };
  const startedAt = performance.now();
  const usage = process.cpuUsage();
  const { history } = await trainHead({
    ...{ features, labels, split, classCount: 2 },
    settings: resolveSettings({ epochs, patience: epochs }),
  });
  const { user, system } = process.cpuUsage(usage);
  const { trainLoss, validationLoss } = history.at(-1)!;
  const seconds = (performance.now() - startedAt) / 1000;
  const imagesPerSecond = (epochs * split.train.length) / seconds;
  const processorSeconds = (user + system) / 1e6;
  const peakMb = peakMegabytes();
  console.log(
    JSON.stringify({ imagesPerSecond, processorSeconds, seconds, peakMb, trainLoss, validationLoss }),
  );
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
