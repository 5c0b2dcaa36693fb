import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { tf } from "./tensorflow";

/** What TensorFlow computes on. */
export interface Device {
  kind: "gpu" | "cpu";
  /** The GPU's or the processor's name, as its driver or the kernel gives it. */
  name: string;
  /** Logical processor cores of the machine; a container may let a process use fewer. */
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
  isUsingGpuDevice: boolean;
  binding: { TF_Version: string };
}

function graphicsCardName(): string {
  try {
    const output = execFileSync("nvidia-smi", ["--query-gpu=name", "--format=csv,noheader"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 5_000,
    });
    return output.split("\n")[0]?.trim() || "GPU";
  } catch {
    return "GPU";
  }
}

/** What TensorFlow computes on, without its name, for which a GPU's driver has to be asked. */
export function deviceKind(): Device["kind"] {
  return (tf.backend() as unknown as NodeBackend).isUsingGpuDevice ? "gpu" : "cpu";
}

/** Names the device that TensorFlow uses, and the TensorFlow that is loaded. */
export function describeDevice(): Device {
  const backend = tf.backend() as unknown as NodeBackend;
  const processors = cpus();
  return {
    kind: backend.isUsingGpuDevice ? "gpu" : "cpu",
    name: backend.isUsingGpuDevice
      ? graphicsCardName()
      : (processors[0]?.model.trim() ?? "unknown processor"),
    cores: processors.length,
    tensorflowVersion: backend.binding.TF_Version,
  };
}

/**
 * Says how numbers are computed with, the one choice for all of the project: float32 everywhere. On a GPU that has
 * TF32 (NVIDIA's Ampere and later), TensorFlow multiplies matrices and convolves in it: inputs rounded to 10 bits
 * of mantissa, sums in float32. Weights are never kept in 16 bits: a head gains nothing by it, and features have
 * to be comparable.
 */
export function describeArithmetic(kind: Device["kind"]): string {
  if (kind === "cpu") return "float32";
  return process.env["NVIDIA_TF32_OVERRIDE"] === "0"
    ? "float32 (NVIDIA_TF32_OVERRIDE is 0)"
    : "float32, products in TF32 where the GPU has it (NVIDIA_TF32_OVERRIDE=0 turns that off)";
}

/** What decides the last bits of what is computed, for keys of the cache: the device, and a changed arithmetic. */
export function arithmeticKey(): string {
  const device = deviceKind();
  const asked = process.env["NVIDIA_TF32_OVERRIDE"];
  return device === "gpu" && asked === "0" ? `gpu, ${describeArithmetic(device)}` : device;
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
