import { readFileSync } from "node:fs";

/** The most memory that this process has had, in MB. `resourceUsage().maxRSS` would count that of who started it. */
export function peakMegabytes(): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
  return Number(line![1]) / 1000;
}
