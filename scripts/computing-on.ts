// Says in one line what TensorFlow computes on, and why not on a GPU that is there: node scripts/typescript.js computing-on.ts

import { describeArithmetic } from "../src/runtime/device/arithmetic";
import { describeDevice } from "../src/runtime/device/device";
import { unusedGpuNotice } from "../src/runtime/device/unused-gpu";
import { say } from "./say";

const { kind, name } = describeDevice();
say(unusedGpuNotice() ?? `Computing on the ${kind.toUpperCase()}: ${name}, ${describeArithmetic(kind)}.`);
