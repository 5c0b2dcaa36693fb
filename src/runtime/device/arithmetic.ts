import { refusal } from "../refusal";
import { computingAddon } from "./computing-addon";
import { processorFlags } from "./processor";

/**
 * How features are computed, and on a GPU everything.
 *
 * - "exact": products and convolutions in float32, by operations that give the same twice.
 * - "fast": on a GPU products and convolutions in TF32 where the card has it (inputs rounded to 10 bits of mantissa, sums
 *   in float32), by whichever algorithm was quickest when it was first asked: results differ from one run to the next. On
 *   a CPU the same as "exact".
 * - "bfloat16": on a CPU that does so in hardware, a network's weights and what its layers give in 16 bits (8 bits of
 *   mantissa), sums in float32; repeatable. On BreaKHis' images, features differ from the exact ones by 1.2 % of their
 *   length with ResNet50, by 6 % with EfficientNet-Lite0. All else, heads and fine-tuning among it, stays in float32.
 */
export type Arithmetic = "exact" | "fast" | "bfloat16";

export const arithmetics = ["exact", "fast", "bfloat16"] as const;

/** What a processor says that multiplies in bfloat16: AVX512-BF16, or AMX. */
const bfloat16Flags = ["avx512_bf16", "amx_bf16"];

/** Why this machine can't compute in bfloat16, as a sentence with what to do; null where it can. */
export function bfloat16Problem(
  usesGpu: boolean,
  flags: ReadonlySet<string> = processorFlags(),
): string | null {
  const remedy = 'Choose arithmetic: "exact"';
  if (usesGpu)
    return `Arithmetic "bfloat16" is for processors, and a GPU computes here. ${remedy} or "fast".`;
  if (bfloat16Flags.some((flag) => flags.has(flag))) return null;
  return `Arithmetic "bfloat16" needs a processor with AVX512-BF16 or AMX, and this one has neither: it would only imitate it, more slowly than it computes in float32. ${remedy}.`;
}

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
 * @param flags - The processor's, by default this one's.
 * @throws Error if TensorFlow is not loaded yet, or bfloat16 is asked for where nothing multiplies in it.
 */
export function useArithmetic(arithmetic: Arithmetic, flags: ReadonlySet<string> = processorFlags()): void {
  const state = kept[memory];
  if (state === undefined) throw new Error("Arithmetic is chosen after src/runtime/tensorflow.ts is loaded.");
  if (state.arithmetic === arithmetic) return;
  const problem = arithmetic === "bfloat16" ? bfloat16Problem(state.switches !== null, flags) : null;
  if (problem !== null) throw refusal(problem);
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
  if (kind === "cpu") return arithmetic === "bfloat16" ? "bfloat16, sums in float32" : "float32";
  return arithmetic === "exact"
    ? "exact: float32, repeatable"
    : "fast: float32, products in TF32 where the GPU has it, not repeatable";
}
