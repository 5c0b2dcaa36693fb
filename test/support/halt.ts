import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { projectRoot } from "../../src/runtime/paths";
import { waitUntil } from "./wait-until";

/** What a program is started with to stand still at one of its changes of the file system, so that it is killed there. */
export interface Halt {
  /** For node, before the program. */
  args: string[];
  env: Record<string, string>;
  /** Waits until the program stands still; fails if it came to its end. */
  reached(): Promise<void>;
  /** Waits until the program has ended, and says how many changes it made. */
  changes(): Promise<number>;
}

/** For a program that is left alone. */
export const withoutHalt: Pick<Halt, "args" | "env"> = { args: [], env: {} };

/**
 * Prepares a halt, see halt-at.cjs.
 *
 * @param moment - Number of the change, from 1 on; 0 counts them alone.
 * @param below - Only changes of what lies below this folder count.
 * @param within - Where the program starts others: what the command line of the one that is halted holds.
 */
export function haltAt(moment: number, below: string, within?: string): Halt {
  const report = join(mkdtempSync(join(tmpdir(), "breakhis-halt-")), "report");
  const read = async () => {
    await waitUntil(() => existsSync(report));
    return readFileSync(report, "utf8");
  };
  const args = ["-r", join(projectRoot(), "test", "support", "halt-at.cjs")];
  const inherited = within === undefined ? {} : { NODE_OPTIONS: args.join(" "), HALT_PROGRAM: within };
  return {
    args: within === undefined ? args : [],
    env: { HALT_AT: String(moment), HALT_BELOW: below, HALT_FILE: report, ...inherited },
    reached: async () => expect(await read()).toBe("halted"),
    changes: async () => Number(await read()),
  };
}
