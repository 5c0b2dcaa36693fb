import { computingAddon } from "./computing-addon";

/**
 * How a GPU computes; on CPUs both are float32 and repeatable.
 *
 * - "exact": products and convolutions in float32, by operations that give the same twice.
 * - "fast": products and convolutions in TF32 where the card has it (inputs rounded to 10 bits of mantissa, sums in
 *   float32), by whichever algorithm was quickest when it was first asked: results differ from one run to the next.
 *
 * Weights are never kept in 16 bits: a head gains nothing by it, and features have to be comparable.
 */
export type Arithmetic = "exact" | "fast";

export const arithmetics = ["exact", "fast"] as const;

/** What of TensorFlow is set; null on a CPU, where there is nothing to set. */
export interface ArithmeticSwitches {
  setTensorFloat32(enabled: boolean): void;
  setDeterministic(enabled: boolean): void;
}

// What TensorFlow was told outlives a reload of `src` in the kernel, so what is known of it does, too.
const memory = Symbol.for("breakhis-lab.arithmetic");
const kept = globalThis as { [memory]?: { arithmetic: Arithmetic; switches: ArithmeticSwitches | null } };

/**
 * Has a GPU compute exactly until something else is asked for; called where TensorFlow is loaded, before it computes.
 *
 * @param usesGpu - Whether TensorFlow found one.
 */
export function prepareArithmetic(
  usesGpu: boolean,
  switches: ArithmeticSwitches | null = usesGpu ? computingAddon() : null,
): void {
  if (kept[memory] !== undefined) return;
  // Read once, by the first convolution: choosing algorithms by timing is another source of differences.
  if (usesGpu) process.env["TF_CUDNN_USE_AUTOTUNE"] ??= "0";
  kept[memory] = { arithmetic: "fast", switches };
  useArithmetic("exact");
}

/**
 * Tells TensorFlow how to compute from here on, in the whole process; on a CPU it is only remembered.
 *
 * @throws Error if TensorFlow is not loaded yet.
 */
export function useArithmetic(arithmetic: Arithmetic): void {
  const state = kept[memory];
  if (state === undefined) throw new Error("Arithmetic is chosen after src/runtime/tensorflow.ts is loaded.");
  if (state.arithmetic === arithmetic) return;
  state.switches?.setTensorFloat32(arithmetic === "fast");
  state.switches?.setDeterministic(arithmetic === "exact");
  state.arithmetic = arithmetic;
}

/** How this process computes now. */
export function currentArithmetic(): Arithmetic {
  return kept[memory]?.arithmetic ?? "exact";
}

/** Says it for people. */
export function describeArithmetic(
  kind: "gpu" | "cpu",
  arithmetic: Arithmetic = currentArithmetic(),
): string {
  if (kind === "cpu") return "float32";
  return arithmetic === "exact"
    ? "exact: float32, repeatable"
    : "fast: float32, products in TF32 where the GPU has it, not repeatable";
}
