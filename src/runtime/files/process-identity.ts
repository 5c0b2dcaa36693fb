import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** One process, for good: numbers of processes are used again, on other machines at the same time. */
export interface ProcessIdentity {
  host: string;
  pid: number;
  /** In clock ticks since the machine started, as the system counts them; null where it does not tell. */
  started: string | null;
}

function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name, in parentheses, may hold blanks; the start is field 22, the 20th after it.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  return { host: hostname(), pid: process.pid, started: startOf(process.pid) };
}

/** Whether a process still runs; null where that can't be known, since it ran on another machine. */
export function isStillRunning({ host, pid, started }: ProcessIdentity): boolean | null {
  if (host !== hostname()) return null;
  const now = startOf(pid);
  return now !== null && now === started;
}
