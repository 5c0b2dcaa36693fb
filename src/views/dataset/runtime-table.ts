import { describeArithmetic } from "../../runtime/device/arithmetic";
import { describeDevice } from "../../runtime/device/device";
import { unusedGpuNotice } from "../../runtime/device/unused-gpu";
import { tf } from "../../runtime/tensorflow";
import { type PlainTable, plainTable } from "../display/plain-table";

/** What this notebook runs on: the versions that are really loaded, and the device that computes. */
export function runtimeTable(): PlainTable {
  const device = describeDevice();
  const where = device.kind === "gpu" ? device.name : `${device.name}, ${device.cores} cores`;
  const arithmetic = { part: "arithmetic", version: describeArithmetic("gpu") };
  const notice = unusedGpuNotice();
  return plainTable(
    [
      { part: "Node.js", version: process.versions.node },
      { part: "TensorFlow.js", version: tf.version.tfjs },
      { part: "TensorFlow underneath", version: device.tensorflowVersion },
      { part: `computing on the ${device.kind.toUpperCase()}`, version: where },
      ...(device.kind === "gpu" ? [arithmetic] : []),
      ...(notice === null ? [] : [{ part: "A GPU is here", version: notice }]),
    ],
    "What this notebook runs on",
  );
}
