import { describeDevice } from "../../runtime/device";
import { tf } from "../../runtime/tensorflow";
import { type PlainTable, plainTable } from "../display/plain-table";

/** What this notebook runs on: the versions that are really loaded, and the device that computes. */
export function runtimeTable(): PlainTable {
  const device = describeDevice();
  const where = device.kind === "gpu" ? device.name : `${device.name}, ${device.cores} cores`;
  return plainTable(
    [
      { part: "Node.js", version: process.versions.node },
      { part: "TensorFlow.js", version: tf.version.tfjs },
      { part: "TensorFlow underneath", version: device.tensorflowVersion },
      { part: `computing on the ${device.kind.toUpperCase()}`, version: where },
    ],
    "What this notebook runs on",
  );
}
