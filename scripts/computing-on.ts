// Says in one line what TensorFlow computes on, and why not on a GPU that is there: npx tsx scripts/computing-on.ts

import { describeArithmetic } from "../src/runtime/arithmetic";
import { describeDevice } from "../src/runtime/device";
import { unusedGpuNotice } from "../src/runtime/unused-gpu";
import { say } from "./say";

const { kind, name } = describeDevice();
say(unusedGpuNotice() ?? `Computing on the ${kind.toUpperCase()}: ${name}, ${describeArithmetic(kind)}.`);
