import { randomUUID } from "node:crypto";
import { readdirSync, rmSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { sha256 } from "../cache/content-hash";
import { startOf } from "./process-identity";

/** What another machine on the same disk left behind is only known to be abandoned by its age. */
const abandonedAfterMs = 24 * 60 * 60 * 1000;

const separator = "~";
const unknownStart = "0";
const ownMachine = () => encodeURIComponent(hostname()).replaceAll("~", "-");

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Who writes: machine, process and when that began; something random is to follow. */
export function ownerPrefix(): string {
  return [ownMachine(), process.pid, startOf(process.pid) ?? unknownStart, ""].join(separator);
}

/** A name that nobody else uses and that tells who writes under it. */
export function unfinishedName(): string {
  return `${ownerPrefix()}${randomUUID()}`;
}

/** Bytes of a name that fit beside machine, process and a random part into what a file's name may have. */
const longestBytes = 100;

/** What the names of everything unfinished that is to become one file or folder begin with. */
export function unfinishedPrefix(target: string): string {
  const name = basename(target);
  const short = Buffer.byteLength(name) > longestBytes ? sha256(name).slice(0, 16) : name;
  return `.${short}.unfinished${separator}`;
}

/** What is known of the process that a name tells of. */
function ownerState(name: string): "running" | "ended" | "unknown" {
  const [machine, processId = "", start = ""] = name.split(separator);
  if (machine !== ownMachine() || !/^[1-9]\d*$/.test(processId)) return "unknown";
  if (!isRunning(Number(processId))) return "ended";
  // Without the start the number may be another process' by now.
  if (startOf(process.pid) === null || !/^[1-9]\d*$/.test(start)) return "unknown";
  return startOf(Number(processId)) === start ? "running" : "ended";
}

/** Whether nobody writes any longer under a name that `unfinishedName` made. */
function isAbandoned(path: string, name: string, nowMs: number): boolean {
  const owner = ownerState(name);
  if (owner !== "unknown") return owner === "ended";
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && nowMs - found.mtimeMs > abandonedAfterMs;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * Finds what killed processes left under unfinished names, and nothing that somebody still writes.
 *
 * @param prefix - What the names begin with, before what `unfinishedName` gave.
 * @returns Paths.
 */
export function findAbandoned(folder: string, prefix = "", nowMs: number = Date.now()): string[] {
  return namesIn(folder)
    .filter((name) => name.startsWith(prefix))
    .filter((name) => isAbandoned(join(folder, name), name.slice(prefix.length), nowMs))
    .map((name) => join(folder, name));
}

function tryRemoving(path: string): boolean {
  try {
    rmSync(path, { force: true, recursive: true });
    return true;
  } catch {
    return false;
  }
}

/**
 * Removes what `findAbandoned` finds. What can't be removed, being another user's, stays.
 *
 * @returns How many files and folders were removed.
 */
export function removeAbandoned(folder: string, prefix = "", nowMs: number = Date.now()): number {
  return findAbandoned(folder, prefix, nowMs).filter(tryRemoving).length;
}
