import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { generateDemoDataset } from "../../../src/data/demo/demo";
import { cacheFolder } from "../../../src/runtime/paths";

const repository = resolve(__dirname, "../../..");

export interface Message {
  type: string;
  content: {
    name?: string;
    text?: string;
    ename?: string;
    evalue?: string;
    traceback?: string[];
    data?: Record<string, unknown>;
    transient?: { display_id?: string };
    execution_count?: number;
  };
}

export interface CellResult {
  id: string;
  reply: { status: string; execution_count?: number; ename?: string; evalue?: string; traceback?: string[] };
  messages: Message[];
}

export interface Completion {
  matches: string[];
  cursor_start: number;
  cursor_end: number;
  metadata: { _jupyter_types_experimental: { text: string; type: string }[] };
}

export interface KernelSession {
  pid: number;
  driver: ChildProcess;
  execute(code: string, options?: { stopOnError?: boolean; interruptOn?: string[] }): Promise<CellResult>;
  /** Sends all cells before the first one ends, as "run all" does. */
  executeAll(codes: string[], options?: { stopOnError?: boolean }): Promise<CellResult[]>;
  /** Sends a cell with its name, as a page does, and doesn't wait for its end; returns the message's id. */
  begin(code: string, cellId: string): Promise<string>;
  /** Sends a page's comm message; returns the answer's data and the states that the kernel told until then. */
  comm(type: string, content: object): Promise<{ data: unknown; states: string[] }>;
  /** The next iopub message of a type that belongs to no cell being executed. */
  listen(type: string): Promise<{ parent: string; content: Message["content"] }>;
  complete(code: string, position: number): Promise<Completion>;
  inspect(code: string, position: number): Promise<{ found: boolean; data: Record<string, string> }>;
  alive(): Promise<boolean>;
  close(): Promise<void>;
}

/** Starts a project's kernel in a folder, by default this project's, without any installed kernel spec. */
export async function startKernel(
  folder: string,
  environment: Record<string, string> = {},
  project: string = repository,
): Promise<KernelSession> {
  const launcher = join(project, "jupyter/kernel.js");
  const python = join(repository, ".venv/bin/python");
  const driver = spawn(python, [join(__dirname, "kernel_driver.py"), launcher, folder], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...environment },
  });
  const ask = createDialogue(driver);
  const { pid } = (await ask(null)) as { pid: number };
  const executeAll = (codes: string[], options = {}) =>
    ask({ op: "execute", codes, ...options }) as Promise<CellResult[]>;
  return {
    pid,
    driver,
    executeAll,
    execute: async (code, options) => (await executeAll([code], options))[0]!,
    begin: (code, cellId) => ask({ op: "begin", code, cellId }) as Promise<string>,
    comm: (type, content) => ask({ op: "comm", type, content }) as ReturnType<KernelSession["comm"]>,
    listen: (type) => ask({ op: "listen", type }) as ReturnType<KernelSession["listen"]>,
    complete: (code, position) =>
      ask({ op: "complete", code, position }) as ReturnType<KernelSession["complete"]>,
    inspect: (code, position) =>
      ask({ op: "inspect", code, position }) as ReturnType<KernelSession["inspect"]>,
    alive: () => ask({ op: "alive" }) as Promise<boolean>,
    close: () =>
      new Promise((done) => {
        if (driver.exitCode !== null || driver.signalCode !== null) return done();
        driver.once("exit", () => done());
        driver.stdin.end();
      }),
  };
}

/**
 * The same among the notebooks, on a small synthetic set, with a cache and runs of its own in a folder; the backbone's
 * weights and the kernel's compiled code are the project's.
 */
export async function startKernelOnDemo(
  folder: string,
  { imagesPerPatient, ...settings }: { imagesPerPatient: number; epochs: number },
): Promise<KernelSession> {
  const data = join(folder, "demo");
  await generateDemoDataset(data, { patients: 16, imagesPerPatient, width: 175, height: 115 });
  mkdirSync(join(folder, "cache"));
  for (const kind of ["weights", "code"]) {
    const kept = join(cacheFolder(), kind);
    if (existsSync(kept)) symlinkSync(kept, join(folder, "cache", kind));
  }
  return startKernel(join(repository, "notebooks"), {
    BREAKHIS_CACHE: join(folder, "cache"),
    BREAKHIS_RUNS: join(folder, "runs"),
    BREAKHIS_SETTINGS: JSON.stringify({ data, backbone: "efficientnet-lite0", ...settings }),
  });
}

/** One line of JSON there, one line back; a null request only waits for the greeting. */
function createDialogue(driver: ChildProcessByStdio<Writable, Readable, null>) {
  const lines = createInterface({ input: driver.stdout })[Symbol.asyncIterator]();
  return async (request: object | null): Promise<unknown> => {
    if (request !== null) driver.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await lines.next();
    if (line.done === true) throw new Error("The kernel's driver ended; its error is above.");
    return JSON.parse(line.value);
  };
}

/** All text that a cell wrote to a stream. */
export function streamText(result: CellResult, name: "stdout" | "stderr"): string {
  return result.messages
    .filter((message) => message.type === "stream" && message.content.name === name)
    .map((message) => message.content.text)
    .join("");
}

/** A cell's messages of one type. */
export function messagesOf(result: CellResult, type: string): Message["content"][] {
  return result.messages.filter((message) => message.type === type).map((message) => message.content);
}

export interface TemporaryProject {
  folder: string;
  /** The folder that notebooks are in, two levels below the project. */
  notebooks: string;
  write(file: string, text: string): void;
  remove(): void;
}

/** Makes a project with its own package.json and sources, and this repository's packages. */
export function createProject(files: Record<string, string>): TemporaryProject {
  const folder = mkdtempSync(join(tmpdir(), "breakhis-kernel-"));
  const notebooks = join(folder, "notebooks", "drafts");
  mkdirSync(notebooks, { recursive: true });
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
  const write = (file: string, text: string) => {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  write("package.json", JSON.stringify({ name: "temporary", private: true, type: "commonjs" }));
  for (const [file, text] of Object.entries(files)) write(file, text);
  return { folder, notebooks, write, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Whether there is a process of that id. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
