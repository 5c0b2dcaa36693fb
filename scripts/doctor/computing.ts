import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../src/runtime/paths";
import { type Finding, fine, note, wrong } from "./finding";

/** Rows and columns of the matrices: large enough to keep all cores busy, done in a few hundredths of a second. */
const matrixSize = 1024;
const repetitions = 5;
const inputSize = 224;

/** The TensorFlow version that the lock names. */
function lockedVersion(): string {
  const lock = readFileSync(join(projectRoot(), "python", "requirements.lock"), "utf8");
  return lock.match(/^tensorflow-cpu==(\S+)/m)?.[1] ?? "unknown";
}

/** The fastest of several products of two matrices, in 1e9 floating-point operations a second. */
async function measureMatrixProduct(): Promise<number> {
  const { tf } = await import("../../src/runtime/tensorflow");
  const matrix = tf.randomUniform([matrixSize, matrixSize]);
  let fastestMs = Number.POSITIVE_INFINITY;
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const startedAt = performance.now();
    const product = tf.matMul(matrix, matrix);
    // A GPU works on its own; one element read back shows that it is done.
    const corner = product.slice([0, 0], [1, 1]);
    corner.dataSync();
    fastestMs = Math.min(fastestMs, performance.now() - startedAt);
    tf.dispose([product, corner]);
  }
  matrix.dispose();
  return (2 * matrixSize ** 3) / (fastestMs * 1e6);
}

/** Images a second that the backbone without a download turns into features, pixels in memory. */
async function measureBackbone(): Promise<Finding> {
  const { loadBackbone } = await import("../../src/model/backbones/backbone");
  const { featureBatchSize: batchSize } = await import("../../src/model/features/features");
  const what = "Features";
  try {
    const choice = { backbone: "efficientnet-lite0", weights: null, inputSize } as const;
    const { backbone } = await loadBackbone(choice);
    const shape: [number, number, number, number] = [batchSize, inputSize, inputSize, 3];
    const { tf } = await import("../../src/runtime/tensorflow");
    const images = tf.randomUniform(shape, 0, 256, "int32", 1) as import("@tensorflow/tfjs").Tensor4D;
    const seconds: number[] = [];
    for (let batch = 0; batch < 2; batch++) {
      const startedAt = performance.now();
      const features = await backbone.embed(images);
      features.dataSync();
      features.dispose();
      seconds.push((performance.now() - startedAt) / 1000);
    }
    images.dispose();
    backbone.dispose();
    // The first batch also builds the graph.
    const speed = batchSize / seconds[1]!;
    return fine(
      what,
      `${speed.toFixed(0)} images/s (EfficientNet-Lite0, batches of ${batchSize}, from memory)`,
    );
  } catch (error) {
    return wrong(what, error instanceof Error ? error.message : String(error), "Run npm run setup.");
  }
}

/** Looks for a card that answers and computes nothing. */
async function checkGraphicsCard(): Promise<Finding[]> {
  const { findUnusedGpu } = await import("../../src/runtime/device/unused-gpu");
  const unused = findUnusedGpu();
  if (unused === null) return [];
  const { card, reason, remedy } = unused;
  return [note("GPU", `${card.name} (driver ${card.driver}) is not used: ${reason}`, remedy)];
}

/**
 * Loads TensorFlow as the notebooks do, and lets it compute.
 *
 * @param quiet - Ends when nothing else is busy any more: speed is measured after it.
 */
export async function checkComputing(quiet: Promise<unknown>): Promise<Finding[]> {
  try {
    const { describeArithmetic } = await import("../../src/runtime/device/arithmetic");
    const { describeDevice } = await import("../../src/runtime/device/device");
    const device = describeDevice();
    const locked = lockedVersion();
    const version =
      device.tensorflowVersion === locked
        ? fine("TensorFlow, loaded", device.tensorflowVersion)
        : wrong(
            "TensorFlow, loaded",
            `${device.tensorflowVersion}, and the lock says ${locked}`,
            "Run npm run setup.",
          );
    const place = device.kind === "gpu" ? device.name : `${device.name}, ${device.cores} cores`;
    await quiet;
    const speed = await measureMatrixProduct();
    return [
      version,
      fine("Device", `${device.kind.toUpperCase()}: ${place}`),
      ...(await checkGraphicsCard()),
      fine("Arithmetic", describeArithmetic(device.kind)),
      fine("Matrix product", `${speed.toFixed(0)} GFLOP/s (${matrixSize} × ${matrixSize}, float32)`),
      await measureBackbone(),
    ];
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return [wrong("TensorFlow, loaded", `no: ${reason}`, "Run npm run setup.")];
  }
}
