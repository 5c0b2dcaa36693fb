import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../src/runtime/paths";
import { nvidiaDriverAnswers } from "../setup/machine.js";
import { stampFile } from "../setup/python-environment.js";
import { readStamp } from "../setup/stamps.js";
import { type Finding, fine, note, wrong } from "./finding";

/** Rows and columns of the matrices: large enough to keep all cores busy, done in a few hundredths of a second. */
const matrixSize = 1024;
const repetitions = 10;

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

function checkGraphicsCard(usesGpu: boolean): Finding[] {
  if (usesGpu || !nvidiaDriverAnswers()) return [];
  const variant = readStamp(stampFile(projectRoot()))?.["variant"];
  if (variant === "cuda") {
    const remedy =
      "The driver may be too old for CUDA 12: update it to version 525 or later, then look again.";
    return [note("GPU", "the NVIDIA driver answers, but TensorFlow computes on the CPU", remedy)];
  }
  const remedy = "npm run setup -- --tensorflow cuda installs the TensorFlow that can use it.";
  return [note("GPU", "the NVIDIA driver answers, and TensorFlow for CPUs is installed", remedy)];
}

/** Loads TensorFlow as the notebooks do, and lets it compute. */
export async function checkComputing(): Promise<Finding[]> {
  try {
    const { describeDevice } = await import("../../src/runtime/device");
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
    const speed = await measureMatrixProduct();
    return [
      version,
      fine("Device", `${device.kind.toUpperCase()}: ${place}`),
      ...checkGraphicsCard(device.kind === "gpu"),
      fine("Matrix product", `${speed.toFixed(0)} GFLOP/s (${matrixSize} × ${matrixSize}, float32)`),
    ];
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return [wrong("TensorFlow, loaded", `no: ${reason}`, "Run npm run setup.")];
  }
}
