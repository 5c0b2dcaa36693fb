import { availableParallelism, cpus } from "node:os";
import { tf, usesGpu } from "../tensorflow";
import { type Arithmetic, currentArithmetic } from "./arithmetic";
import { graphicsCard } from "./graphics-card";

/** What TensorFlow computes on. */
export interface Device {
  kind: "gpu" | "cpu";
  /** The GPU's or the processor's name, as its driver or the kernel gives it. */
  name: string;
  /** Logical processor cores that this process may use. */
  cores: number;
  /** The version of the native library that is really loaded, for example "2.21.0". */
  tensorflowVersion: string;
}

/** TensorFlow's memory and that of the whole process, in bytes. */
export interface MemoryUse {
  tensors: number;
  tensorBytes: number;
  processBytes: number;
}

interface NodeBackend {
  binding: { TF_Version: string };
}

/** What TensorFlow computes on, without its name, for which a GPU's driver has to be asked. */
export function deviceKind(): Device["kind"] {
  return usesGpu ? "gpu" : "cpu";
}

/** Names the device that TensorFlow uses, and the TensorFlow that is loaded. */
export function describeDevice(): Device {
  const backend = tf.backend() as unknown as NodeBackend;
  return {
    kind: deviceKind(),
    name: usesGpu ? (graphicsCard()?.name ?? "GPU") : (cpus()[0]?.model.trim() ?? "unknown processor"),
    cores: availableParallelism(),
    tensorflowVersion: backend.binding.TF_Version,
  };
}

/** What a result was computed on, as records keep it. */
export interface ComputedOn extends Device {
  arithmetic: Arithmetic;
}

/** What this process computes on, and how. */
export function describeComputedOn(): ComputedOn {
  const device = describeDevice();
  const arithmetic = currentArithmetic();
  // Asked for on a CPU, "fast" changes nothing.
  return { ...device, arithmetic: device.kind === "cpu" && arithmetic === "fast" ? "exact" : arithmetic };
}

/**
 * What numbers depend on besides what is computed, for keys of caches: GPUs round otherwise than CPUs, and otherwise in
 * each arithmetic.
 */
export function arithmeticKey(): string {
  if (usesGpu) return `gpu, ${currentArithmetic()}`;
  return currentArithmetic() === "bfloat16" ? "cpu, bfloat16" : "cpu";
}

/** Counts live tensors and the memory they and the process hold. */
export function describeMemory(): MemoryUse {
  const memory = tf.memory();
  return {
    tensors: memory.numTensors,
    tensorBytes: memory.numBytes,
    processBytes: process.memoryUsage().rss,
  };
}
