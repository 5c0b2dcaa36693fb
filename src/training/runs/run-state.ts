import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isStillRunning, ownIdentity, type ProcessIdentity } from "../../runtime/files/process-identity";
import { writeFileAtomically } from "../../runtime/files/write-file";
import { type Run, readRunFile } from "./run-folder";

/** How a run stands that has no results: `crashed` is what its process left by ending without a word. */
export type UnfinishedState =
  | { state: "running" }
  | { state: "crashed" }
  | { state: "failed"; reason: string }
  /** It was begun on another machine, or before runs noted it. */
  | { state: "unknown" };

/** What a run's `state.json` holds while it has no results. */
type StateFile = { trainedBy: ProcessIdentity } | { failed: string };

const stateFile = "state.json";

const write = (run: Run, content: StateFile) =>
  writeFileAtomically(join(run.folder, stateFile), `${JSON.stringify(content)}\n`);

/** Notes that this process trains the run: whoever finds the note without the process knows what happened. */
export function noteTraining(run: Run): Promise<void> {
  return write(run, { trainedBy: ownIdentity() });
}

/** Notes why a run came to nothing. */
export function noteFailure(run: Run, error: unknown): Promise<void> {
  return write(run, { failed: error instanceof Error ? error.message : String(error) });
}

/** Removes the note of a run that has its results. */
export function clearState(run: Run): Promise<void> {
  return rm(join(run.folder, stateFile), { force: true });
}

/** How a run without results stands. */
export async function readState(run: Run): Promise<UnfinishedState> {
  const content = await readRunFile<StateFile>(run.folder, stateFile);
  if (content === null) return { state: "unknown" };
  if ("failed" in content) return { state: "failed", reason: content.failed };
  const running = isStillRunning(content.trainedBy);
  if (running === null) return { state: "unknown" };
  return { state: running ? "running" : "crashed" };
}
