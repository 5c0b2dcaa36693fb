import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  bfloat16Problem,
  currentArithmetic,
  describeArithmetic,
  prepareArithmetic,
  useArithmetic,
} from "../../../src/runtime/device/arithmetic";
import { computingAddon } from "../../../src/runtime/device/computing-addon";
import { arithmeticKey, describeComputedOn } from "../../../src/runtime/device/device";
import { completeSettings } from "../../../src/runtime/settings";
import { usesGpu } from "../../../src/runtime/tensorflow";

const memory = Symbol.for("breakhis-lab.arithmetic");
const kept = globalThis as { [memory]?: unknown };
const before = kept[memory];

beforeEach(() => {
  delete kept[memory];
  vi.stubEnv("TF_CUDNN_USE_AUTOTUNE", undefined);
});
afterEach(() => {
  kept[memory] = before;
  vi.unstubAllEnvs();
});

function fakeSwitches() {
  const calls: string[] = [];
  return {
    calls,
    setTensorFloat32: (enabled: boolean) => calls.push(`TF32 ${enabled}`),
    setDeterministic: (enabled: boolean) => calls.push(`deterministic ${enabled}`),
  };
}

describe("bfloat16", () => {
  const able = new Set(["fpu", "avx512_bf16"]);

  it("is taken where a processor multiplies in it, and is part of the cache's key and of records", () => {
    prepareArithmetic(false);
    const exact = arithmeticKey();
    useArithmetic("bfloat16", able);
    expect(currentArithmetic()).toBe("bfloat16");
    expect(describeArithmetic("cpu")).toBe("bfloat16, sums in float32");
    if (usesGpu) return;
    expect(arithmeticKey()).not.toBe(exact);
    expect(describeComputedOn().arithmetic).toBe("bfloat16");
  });

  it("is refused in words where a processor would imitate it, and on a GPU; what was chosen before stays", () => {
    prepareArithmetic(false);
    expect(() => useArithmetic("bfloat16", new Set(["avx512f"]))).toThrow(
      /needs a processor with AVX512-BF16 or AMX.*Choose arithmetic: "exact"/,
    );
    expect(currentArithmetic()).toBe("exact");
    expect(bfloat16Problem(true, able)).toMatch(/is for processors, and a GPU computes here/);
    expect(bfloat16Problem(false, new Set(["amx_bf16"]))).toBeNull();
  });
});

describe("arithmetic on a GPU", () => {
  it("is exact before anything is computed, and what is asked for after that", () => {
    const switches = fakeSwitches();
    prepareArithmetic(true, switches);
    expect(switches.calls).toEqual(["TF32 false", "deterministic true"]);
    expect(process.env["TF_CUDNN_USE_AUTOTUNE"]).toBe("0");
    expect(currentArithmetic()).toBe("exact");
    useArithmetic("fast");
    expect(switches.calls.slice(2)).toEqual(["TF32 true", "deterministic false"]);
    expect(currentArithmetic()).toBe("fast");
  });

  it("stays as it was when the code is loaded again, and is told only changes", () => {
    const switches = fakeSwitches();
    prepareArithmetic(true, switches);
    useArithmetic("fast");
    prepareArithmetic(true, switches);
    useArithmetic("fast");
    expect(currentArithmetic()).toBe("fast");
    expect(switches.calls).toHaveLength(4);
  });

  it("leaves a choice of the user's about algorithms as it is", () => {
    vi.stubEnv("TF_CUDNN_USE_AUTOTUNE", "1");
    prepareArithmetic(true, fakeSwitches());
    expect(process.env["TF_CUDNN_USE_AUTOTUNE"]).toBe("1");
  });
});

describe("arithmetic on a CPU", () => {
  it("sets nothing, and is exact whatever is asked for", () => {
    prepareArithmetic(false);
    expect(process.env["TF_CUDNN_USE_AUTOTUNE"]).toBeUndefined();
    useArithmetic("fast");
    if (!usesGpu) {
      expect(describeComputedOn()).toMatchObject({ kind: "cpu", arithmetic: "exact" });
      expect(arithmeticKey()).toBe("cpu");
    }
    expect(describeArithmetic("cpu")).toBe("float32");
  });
});

it("has a setting, exact by default, and is said in words", () => {
  expect(completeSettings({}).arithmetic).toBe("exact");
  expect(completeSettings({ arithmetic: "fast" }).arithmetic).toBe("fast");
  expect(() => completeSettings({ arithmetic: "half" as "fast" })).toThrow(/arithmetic/);
  expect(describeArithmetic("gpu", "exact")).toMatch(/float32, repeatable/);
  expect(describeArithmetic("gpu", "fast")).toMatch(/TF32 .*not repeatable/);
});

describe("the project's own addon", () => {
  it("turns TensorFlow's switches", () => {
    const addon = computingAddon();
    const found = [addon.usesTensorFloat32(), addon.isDeterministic()] as const;
    try {
      for (const wanted of [true, false]) {
        addon.setTensorFloat32(wanted);
        addon.setDeterministic(wanted);
        expect([addon.usesTensorFloat32(), addon.isDeterministic()]).toEqual([wanted, wanted]);
      }
      expect(() => addon.setDeterministic("yes" as unknown as boolean)).toThrow(/true or false/);
    } finally {
      addon.setTensorFloat32(found[0]);
      addon.setDeterministic(found[1]);
    }
  });
});
