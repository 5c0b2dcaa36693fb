import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { computingAddon } from "../../../src/runtime/device/computing-addon";
import { graphicsCard, isDriverTooOld } from "../../../src/runtime/device/graphics-card";
import { explainUnusedGpu, findUnusedGpu, unusedGpuNotice } from "../../../src/runtime/device/unused-gpu";
import { setUpRecord } from "../../../src/runtime/set-up-record";
import { usesGpu } from "../../../src/runtime/tensorflow";
import { runtimeTable } from "../../../src/views/dataset/runtime-table";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("nvidia-smi");
const calls = join(folder, "calls");
const memory = Symbol.for("breakhis-lab.graphics-card");
const kept = globalThis as { [memory]?: unknown };
const before = kept[memory];

/** Puts a stand-in for the driver's program first on the PATH. */
function answer(script: string): void {
  const program = join(folder, "nvidia-smi");
  writeFileSync(calls, "");
  writeFileSync(program, `#!/bin/sh\necho asked >> ${calls}\n${script}\n`);
  chmodSync(program, 0o755);
  vi.stubEnv("PATH", `${folder}${delimiter}${process.env["PATH"]}`);
}

beforeEach(() => {
  delete kept[memory];
});
afterEach(() => {
  kept[memory] = before;
  vi.unstubAllEnvs();
});

describe("graphicsCard", () => {
  it("asks the driver once a process", () => {
    answer('echo "NVIDIA H200, 580.159.04"; echo "NVIDIA H200, 580.159.04"');
    expect(graphicsCard()).toEqual({ name: "NVIDIA H200", driver: "580.159.04" });
    expect(graphicsCard()).toEqual({ name: "NVIDIA H200", driver: "580.159.04" });
    expect(readFileSync(calls, "utf8")).toBe("asked\n");
  });

  it.each(["exit 9", 'echo "No devices were found"', "true"])("finds none where it says %j", (script) => {
    answer(script);
    expect(graphicsCard()).toBeNull();
    expect(findUnusedGpu()).toBeNull();
    expect(unusedGpuNotice()).toBeNull();
  });
});

it("knows which drivers are too old for CUDA 12", () => {
  for (const driver of ["470.256.02", "525.60.12", "525.60"]) expect(isDriverTooOld(driver)).toBe(true);
  for (const driver of ["525.60.13", "525.85.05", "580.159.04"]) expect(isDriverTooOld(driver)).toBe(false);
});

describe("a card that is there and not used", () => {
  const card = { name: "NVIDIA H200", driver: "580.159.04" };
  const found = { "CUDA driver": null, cuDNN: null };
  const facts = { variant: "cuda", visibleDevices: undefined, libraries: () => found } as const;
  const lost = "Could not load dynamic library 'libcusolver.so.11'; dlerror: no such file";

  it.each([
    [{ ...facts, visibleDevices: "-1" }, /CUDA_VISIBLE_DEVICES \("-1"\) hides it/, /Unset it/],
    [{ ...facts, visibleDevices: "" }, /hides it/, /Unset it/],
    [{ ...facts, variant: "cpu" }, /TensorFlow for CPUs/, /--tensorflow cuda/],
    [
      { ...facts, libraries: () => ({ ...found, cuSOLVER: lost }) },
      /doesn't find cuSOLVER \(libcusolver\.so\.11\)/,
      /npm run setup/,
    ],
    [{ ...facts, libraries: () => ({ "CUDA driver": lost }) }, /CUDA driver/, /container/],
    [{ ...facts, visibleDevices: "0" }, /did not take it/, /TF_CPP_MIN_LOG_LEVEL=0/],
  ] as const)("is explained (%#)", (given, reason, remedy) => {
    const explained = explainUnusedGpu(card, given);
    expect(explained.reason).toMatch(reason);
    expect(explained.remedy).toMatch(remedy);
  });

  it("is explained by its driver's version, and what it would have to be", () => {
    const explained = explainUnusedGpu({ ...card, driver: "470.256.02" }, facts);
    expect(explained.reason).toContain("470.256.02");
    expect(explained.remedy).toContain("525.60.13");
  });

  it.skipIf(usesGpu)("is said where a notebook says what it runs on", () => {
    answer('echo "NVIDIA <b>H200</b>, 580.159.04"');
    const rows = runtimeTable().values;
    expect(
      rows.some(([, said]) =>
        /^NVIDIA .*H200.* is not used, TensorFlow computes on the CPU: /.test(String(said)),
      ),
    ).toBe(true);
  });
});

describe.skipIf(setUpRecord().variant !== "cuda")("TensorFlow's own loader, on the wheel for GPUs", () => {
  it.each(["CUDA runtime", "cuBLAS", "cuBLASLt", "cuFFT", "cuSPARSE", "cuSOLVER", "cuDNN"])(
    "finds %s with nothing exported by hand",
    (name) => {
      expect(process.env["LD_LIBRARY_PATH"] ?? "").not.toContain("nvidia");
      expect(computingAddon().askLoader()).toHaveProperty([name], null);
    },
  );
});
