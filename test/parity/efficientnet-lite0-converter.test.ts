import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/runtime/paths";
import { python, runPython } from "../support/python";
import { temporaryFolder } from "../support/temporary-folder";

const folder = temporaryFolder("converter");
const scripts = join(projectRoot(), "python");
const converter = join(scripts, "convert_efficientnet_lite0.py");

const hostile = `
import io, os, pickle, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from convert_efficientnet_lite0 import TensorUnpickler

class Evil:
    def __reduce__(self):
        return (os.mkdir, (sys.argv[2],))

try:
    TensorUnpickler(io.BytesIO(pickle.dumps(Evil()))).load()
except pickle.UnpicklingError as error:
    print(error)
`;

const strided = `
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import numpy as np
from convert_efficientnet_lite0 import TensorPlan, tensorflow_layout, tensorflow_name, view_tensor

storage = np.arange(8, dtype="<f4")
plan = TensorPlan("key", storage.dtype, 1, (2, 3), (1, 2))
print(view_tensor(plan, storage).tolist(), tensorflow_layout("classifier/kernel", view_tensor(plan, storage)).tolist())
try:
    view_tensor(plan._replace(offset=3), storage)
except ValueError as error:
    print(error)
print(tensorflow_name("_blocks.3._bn1.running_var"), tensorflow_name("_conv_stem.weight"), tensorflow_name("_fc.bias"))
`;

describe("convert_efficientnet_lite0.py", () => {
  it("builds nothing but tensors from a pickle", () => {
    const target = join(folder, "made-by-a-pickle");
    expect(runPython(hostile, [scripts, target])).toMatch(/posix\.mkdir has no place in a file of weights/);
    expect(existsSync(target)).toBe(false);
  });

  it("honours strides, and refuses a tensor that reaches beyond its storage", () => {
    expect(runPython(strided, [scripts]).trim().split("\n")).toEqual([
      "[[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]] [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]",
      "a tensor of shape (2, 3) reaches beyond its storage",
      "block3/depthwise/moving_variance stem/kernel classifier/bias",
    ]);
  });

  it("fails in one sentence, and leaves nothing half-written", () => {
    // A folder where the file should be.
    const result = spawnSync(python, [converter, folder], { encoding: "utf8" });
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(
      /^EfficientNet-Lite0's weights could not be converted: .*Run `npm run setup` again\.\n$/,
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});
