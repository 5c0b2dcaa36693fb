import type { DataFrame } from "danfojs-node";
import { describeDevice } from "../../runtime/device";
import { tf } from "../../runtime/tensorflow";
import { toDataFrame } from "../display/tables";

/** What this notebook runs on: the versions that are really loaded, and the device that computes. */
export function runtimeTable(): DataFrame {
  const device = describeDevice();
  const where = device.kind === "gpu" ? device.name : `${device.name}, ${device.cores} cores`;
  return toDataFrame(
    [
      { part: "Node.js", version: process.versions.node },
      { part: "TensorFlow.js", version: tf.version.tfjs },
      { part: "TensorFlow underneath", version: device.tensorflowVersion },
      { part: `computing on the ${device.kind.toUpperCase()}`, version: where },
    ],
    "What this notebook runs on",
  );
}
