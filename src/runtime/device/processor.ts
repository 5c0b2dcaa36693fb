import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";

/**
 * What a processor can do, as Linux names it, for example "avx512_bf16"; nothing where that can't be read.
 *
 * @param cpuinfo - The text of /proc/cpuinfo, by default that of this machine.
 */
export function processorFlags(cpuinfo: string = readCpuinfo()): ReadonlySet<string> {
  const flags = /^flags\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? "";
  return new Set(flags.split(/\s+/).filter((flag) => flag !== ""));
}

let cpuinfoRead: string | null = null;

/** Once a process: on many cores it is long. */
function readCpuinfo(): string {
  if (cpuinfoRead !== null) return cpuinfoRead;
  try {
    cpuinfoRead = readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    cpuinfoRead = "";
  }
  return cpuinfoRead;
}

/** Variables that change which of its kernels TensorFlow takes on a processor, or on how many cores. */
const variables = [
  "TF_ENABLE_ONEDNN_OPTS",
  "ONEDNN_MAX_CPU_ISA",
  "DNNL_MAX_CPU_ISA",
  "ONEDNN_DEFAULT_FPMATH_MODE",
  "TF_NUM_INTRAOP_THREADS",
  "TF_NUM_INTEROP_THREADS",
  "OMP_NUM_THREADS",
] as const;

/** Everything about this machine that the last bits of a result depend on, for the keys of what is found out about it. */
export function processorKey(): string {
  const set = variables.map((name) => process.env[name] ?? null);
  return JSON.stringify([cpus()[0]?.model, availableParallelism(), [...processorFlags()], set]);
}
