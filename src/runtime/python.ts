import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./paths";

const outputLimit = 64 * 1024 * 1024;

/**
 * Why the Python that set-up installed has no Keras, and what brings it; null where it has.
 *
 * @returns What set-up noted in `.venv`; also null where there is no set-up, which is said elsewhere.
 */
export function kerasProblem(): string | null {
  const stamp = join(projectRoot(), ".venv", "breakhis-setup.json");
  if (!existsSync(stamp)) return null;
  return (JSON.parse(readFileSync(stamp, "utf8")) as { kerasProblem?: string | null }).kerasProblem ?? null;
}

/**
 * Runs one of the programs in `python/` with the Python that set-up installed.
 *
 * @param program - File name, for example "export_classifier.py".
 * @returns What it prints.
 * @throws Error with the last line that it complains with, if it fails; Error that says what to do if set-up has
 * not been run.
 */
export function runPythonProgram(program: string, args: readonly string[]): Promise<string> {
  const python = join(projectRoot(), ".venv", "bin", "python");
  if (!existsSync(python)) throw new Error(`There is no Python at ${python}: run npm run setup first.`);
  const command = [join(projectRoot(), "python", program), ...args];
  return new Promise((fulfil, reject) => {
    execFile(python, command, { maxBuffer: outputLimit }, (error, stdout, stderr) => {
      if (error === null) {
        fulfil(stdout);
        return;
      }
      const complaint = stderr.trim().split("\n").pop() || error.message;
      reject(new Error(`python/${program} failed: ${complaint}`));
    });
  });
}
