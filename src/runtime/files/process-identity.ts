import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** One process, for good: numbers of processes are used again, on other machines at the same time. */
export interface ProcessIdentity {
  host: string;
  pid: number;
  /** In clock ticks since the machine started, as the system counts them; null where it does not tell. */
  started: string | null;
}

/** Ended, and waiting for the process that started it to ask how. */
const endedStates = ["Z", "X"];

/** When a running process began, in clock ticks since the machine started; null where there is none, or off Linux. */
export function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The program's name, in parentheses, may hold blanks; the state comes next, and the start is the 20th field after it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return endedStates.includes(fields[0]!) ? null : (fields[19] ?? null);
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
