import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { projectRoot } from "../../src/runtime/paths";
import { kerasProblem } from "../../src/runtime/python";

/** The Python of `.venv`, where Keras, scikit-learn and Jupyter live. */
export const python = join(projectRoot(), ".venv", "bin", "python");

/** Whether that Python has Keras and TensorFlow's own interface; `npm test` says what was skipped without. */
export const hasKeras = kerasProblem() === null;

/** Runs a Python program given as text and returns what it prints. */
export function runPython(program: string, args: string[] = [], input = ""): string {
  return execFileSync(python, ["-c", program, ...args], {
    encoding: "utf8",
    input,
    maxBuffer: 1 << 30,
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: "3", CUDA_VISIBLE_DEVICES: "-1" },
    stdio: ["pipe", "pipe", "pipe"],
  });
}
