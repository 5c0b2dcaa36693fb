import { execFileSync } from "node:child_process";

/** An NVIDIA card that answers through its driver, whether or not TensorFlow uses it. */
export interface GraphicsCard {
  name: string;
  /** As in "580.159.04". */
  driver: string;
}

/** The driver that CUDA 12 asks for on Linux, by NVIDIA's table of minor version compatibility. */
export const oldestDriver = "525.60.13";

// Asking takes up to seconds, and `src` is loaded again in the kernel.
const memory = Symbol.for("breakhis-lab.graphics-card");
const kept = globalThis as { [memory]?: GraphicsCard | null };

function ask(): GraphicsCard | null {
  try {
    const output = execFileSync("nvidia-smi", ["--query-gpu=name,driver_version", "--format=csv,noheader"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 20_000,
    });
    const [name = "", driver = ""] = (output.split("\n")[0] ?? "").split(",").map((part) => part.trim());
    return name === "" || driver === "" ? null : { name, driver };
  } catch {
    return null;
  }
}

/** The machine's first NVIDIA card; null where no driver answers. Asked once a process. */
export function graphicsCard(): GraphicsCard | null {
  const known = kept[memory];
  if (known !== undefined) return known;
  const found = ask();
  kept[memory] = found;
  return found;
}

/** Whether a driver is older than CUDA 12 asks for. */
export function isDriverTooOld(driver: string): boolean {
  const numbers = (version: string) => version.split(".").map(Number);
  const oldest = numbers(oldestDriver);
  const found = numbers(driver);
  const at = oldest.findIndex((number, i) => (found[i] ?? 0) !== number);
  return at >= 0 && (found[at] ?? 0) < oldest[at]!;
}
