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
  return { ...device, arithmetic: device.kind === "cpu" ? "exact" : currentArithmetic() };
}

/**
 * What numbers depend on besides what is computed, for keys of caches: GPUs round otherwise than CPUs, and otherwise in
 * each arithmetic.
 */
export function arithmeticKey(): string {
  return usesGpu ? `gpu, ${currentArithmetic()}` : "cpu";
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
