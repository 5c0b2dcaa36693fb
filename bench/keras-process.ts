import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { projectRoot } from "../src/runtime/paths";
import { kerasProblem } from "../src/runtime/python";

/** A Python program that stays loaded and answers requests, one at a time. */
export interface KerasProcess {
  ask<T>(request: object): Promise<T>;
  close(): Promise<void>;
}

function answersOf(child: ChildProcess, lines: Interface): () => Promise<string> {
  let errors = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-4000);
  });
  const ended = new Promise<never>((_, reject) => {
    child.on("error", reject);
    // Writing to a program that has ended: its end says more than the broken pipe does.
    child.stdin!.on("error", () => undefined);
    child.on("close", (code) => reject(new Error(`Python ended with exit code ${code}:\n${errors}`)));
  });
  // Where nobody is waiting for an answer, the end is nobody's problem.
  ended.catch(() => undefined);
  const iterator = lines[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await Promise.race([iterator.next(), ended]);
    return done === true ? ended : value;
  };
}

/**
 * Starts a program of bench/keras in the project's Python.
 *
 * @throws Error if Python is not set up, or has no Keras.
 */
export function startKeras(program: string): KerasProcess {
  const python = join(projectRoot(), ".venv", "bin", "python");
  if (!existsSync(python)) throw new Error(`${python} is missing: run npm run setup first.`);
  const problem = kerasProblem();
  if (problem !== null)
    throw new Error(`Benchmarks compare with Keras in Python, and it isn't here. ${problem}`);
  const child = spawn(python, [join(projectRoot(), "bench", "keras", program)], {
    stdio: ["pipe", "pipe", "pipe"],
    env: {
      ...process.env,
      TF_CPP_MIN_LOG_LEVEL: "3",
      KERAS_BACKEND: "tensorflow",
      PYTHONDONTWRITEBYTECODE: "1",
    },
  });
  const nextAnswer = answersOf(child, createInterface({ input: child.stdout! }));
  return {
    async ask<T>(request: object) {
      child.stdin!.write(`${JSON.stringify(request)}\n`);
      return JSON.parse(await nextAnswer()) as T;
    },
    async close() {
      const closed = new Promise((resolve) => child.once("close", resolve));
      child.stdin!.end();
      if (child.exitCode === null) await closed;
    },
  };
}
