import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./paths";
import { setUpRecord } from "./set-up-record";

const outputLimit = 64 * 1024 * 1024;

/** Why the Python that set-up installed has no Keras, and what brings it; null where it has. */
export function kerasProblem(): string | null {
  return setUpRecord().kerasProblem ?? null;
}

/**
 * Runs one of the programs in `python/` with the Python that set-up installed.
 *
 * @param program - File name, for example "export_classifier.py".
 * @param options.ready - For a program that loads its packages and then waits for the end of its input: when what it
 * reads is there. If that fails, the program is ended, and this fails with the same reason.
 * @param options.temporary - Folder for its temporary files; by default the one that all programs share.
 * @returns What it prints.
 * @throws Error with the last line that it complains with, if it fails; Error that says what to do if set-up has
 * not been run.
 */
export function runPythonProgram(
  program: string,
  args: readonly string[],
  options: { ready?: Promise<unknown>; temporary?: string } = {},
): Promise<string> {
  const { ready = Promise.resolve() } = options;
  const python = join(projectRoot(), ".venv", "bin", "python");
  if (!existsSync(python)) throw new Error(`There is no Python at ${python}: run npm run setup first.`);
  const command = [join(projectRoot(), "python", program), ...args];
  // What Python compiles is kept in .venv: without, TensorFlow takes seconds longer each time.
  const { PYTHONDONTWRITEBYTECODE: _, ...inherited } = process.env;
  // What its libraries leave among temporary files is removed with the caller's folder.
  const env = options.temporary === undefined ? inherited : { ...inherited, TMPDIR: options.temporary };
  return new Promise((fulfil, reject) => {
    const child = execFile(python, command, { maxBuffer: outputLimit, env }, (error, stdout, stderr) => {
      if (error === null) {
        fulfil(stdout);
        return;
      }
      const complaint = stderr.trim().split("\n").pop() || error.message;
      reject(new Error(`python/${program} failed: ${complaint}`));
    });
    // It may have ended before it was told; why, its exit says.
    child.stdin?.on("error", () => undefined);
    ready.then(
      () => child.stdin?.end(),
      (error) => {
        reject(error);
        child.kill();
      },
    );
  });
}
