import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { createProject, isRunning } from "../support/kernel/kernel-session";

const repository = resolve(__dirname, "../..");
const project = createProject({ "src/answer.ts": "export const answer = 42;\n" });
const jupyterPath = join(project.folder, "share/jupyter");
const outputFolder = join(project.folder, "executed");

createRequire(__filename)(join(repository, "jupyter/kernel-spec.js")).installKernelSpec(project.folder);
mkdirSync(join(jupyterPath, "kernels/misbehaving"), { recursive: true });
writeFileSync(
  join(jupyterPath, "kernels/misbehaving/kernel.json"),
  JSON.stringify({
    argv: [
      join(repository, ".venv/bin/python"),
      join(__dirname, "misbehaving_kernel.py"),
      "-f",
      "{connection_file}",
    ],
    display_name: "Misbehaving",
    language: "none",
  }),
);
afterAll(() => project.remove());

interface Cell {
  cell_type: string;
  source: string;
  execution_count?: number | null;
  outputs?: { output_type: string; name?: string; text?: string; ename?: string }[];
}

type CellText = string | { source: string; tags: string[] };

/** Writes a notebook of code cells below a heading, with outputs of an earlier run in them. */
function writeNotebook(name: string, cells: CellText[]): string {
  const path = join(project.notebooks, `${name}.ipynb`);
  const codeCells = cells.map((cell, index) => ({
    cell_type: "code",
    id: `cell-${index}`,
    metadata: typeof cell === "string" ? {} : { tags: cell.tags },
    source: typeof cell === "string" ? cell : cell.source,
    execution_count: 99,
    outputs: [{ output_type: "stream", name: "stdout", text: "from an earlier run" }],
  }));
  const heading = { cell_type: "markdown", id: "heading", metadata: {}, source: "# Heading" };
  const notebook = { cells: [heading, ...codeCells], metadata: {}, nbformat: 4, nbformat_minor: 5 };
  writeFileSync(path, JSON.stringify(notebook));
  return path;
}

function readExecuted(name: string): Cell[] {
  const text = readFileSync(join(outputFolder, `${name}.ipynb`), "utf8");
  return (JSON.parse(text) as { cells: Cell[] }).cells.filter((cell) => cell.cell_type === "code");
}

interface Run {
  process: ChildProcess;
  /** What was printed so far. */
  printed: { text: string };
  ended: Promise<{ status: number | null; stdout: string; stderr: string }>;
}

function startRunner(notebooks: string[], options: string[] = []): Run {
  const script = join(repository, "jupyter/run_notebooks.py");
  const child = spawn(
    join(repository, ".venv/bin/python"),
    [script, "--output-folder", outputFolder, ...options, ...notebooks],
    { env: { ...process.env, JUPYTER_PATH: jupyterPath } },
  );
  const printed = { text: "" };
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    printed.text += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<{ status: number | null; stdout: string; stderr: string }>((done) => {
    child.once("close", (status) => done({ status, stdout: printed.text, stderr }));
  });
  return { process: child, printed, ended };
}

const runNotebook = (name: string, cells: CellText[], options: string[] = []) =>
  startRunner([writeNotebook(name, cells)], options).ended;

describe.concurrent("the notebook runner", () => {
  it("passes good notebooks, each in its own kernel and folder, with a line for each cell", async () => {
    const first = writeNotebook("good-first", [
      `import { answer } from "./src/answer";\nlet shared = answer;`,
      "",
      "console.log(shared, process.cwd())",
    ]);
    const second = writeNotebook("good-second", ["typeof (globalThis as any).leftBehind"]);
    const { status, stdout, stderr } = await startRunner([first, second]).ended;
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout.split("\n")).toEqual([
      first,
      expect.stringMatching(/^ {2}\[1\/2\] import \{ answer \} from "\.\/src\/answer"; \d+\.\d s$/),
      expect.stringMatching(/^ {2}\[2\/2\] console\.log\(shared, process\.cwd\(\)\) \d+\.\d s$/),
      second,
      expect.stringMatching(/^ {2}\[1\/1\] typeof .* s$/),
      "",
    ]);
    const cells = readExecuted("good-first");
    expect(cells.map((cell) => cell.execution_count)).toEqual([1, null, 2]);
    expect(cells[2]!.outputs).toEqual([
      { output_type: "stream", name: "stdout", text: [`42 ${project.folder}\n`] },
    ]);
  });

  it("fails for a cell that throws, stops there, and keeps what was executed", async () => {
    const throwing = writeNotebook("throws", ["1 + 1", `throw new RangeError("Too far.")`, "3"]);
    const next = writeNotebook("never-run", ["4"]);
    const { status, stdout, stderr } = await startRunner([throwing, next]).ended;
    expect(status).toBe(1);
    expect(stderr.trim().split("\n")[0]).toBe(`${throwing} failed in cell 2: RangeError: Too far.`);
    expect(stderr).toContain("at cell [2], line 1");
    expect(stdout).not.toContain("[3/3]");
    expect(stdout).not.toContain("never-run");
    expect(existsSync(join(outputFolder, "never-run.ipynb"))).toBe(false);
    const [first, second, third] = readExecuted("throws");
    expect(first!.outputs).toEqual([{ output_type: "stream", name: "stdout", text: ["2\n"] }]);
    expect(second!.outputs!.map(({ output_type, ename }) => [output_type, ename])).toEqual([
      ["error", "RangeError"],
    ]);
    expect(third).toMatchObject({ execution_count: null, outputs: [] });
  });

  it("fails for a cell that does not compile", async () => {
    const { status, stderr } = await runNotebook("compile", ["1", `const count: number = "one";`]);
    expect(status).toBe(1);
    expect(stderr).toContain("failed in cell 2: CompileError: line 1: Type 'string' is not assignable");
  });

  it("fails for a cell that is tagged as allowed to fail", async () => {
    const cells = [{ source: `throw new Error("expected")`, tags: ["raises-exception"] }, "2"];
    const { status, stderr } = await runNotebook("raises", cells);
    expect(status).toBe(1);
    expect(stderr).toContain("failed in cell 1: Error: expected");
  });

  it("fails for a rejection that nobody awaits, in a later cell", async () => {
    const { status, stderr } = await runNotebook("rejection", [
      `setTimeout(() => Promise.reject(new Error("lost")), 50); 1`,
      "await new Promise((done) => setTimeout(done, 1500));",
    ]);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /failed in cell [12].*: UnhandledRejection: A promise that nobody awaits was rejected/,
    );
    expect(stderr).toContain("Error: lost");
  });

  it("fails for a rejection that nobody awaits, after the last cell", async () => {
    const { status, stderr } = await runNotebook("late-rejection", [
      `setTimeout(() => Promise.reject(new Error("lost")), 100); 1`,
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain("failed in cell 1, after it had ended: UnhandledRejection");
    expect(readExecuted("late-rejection")[0]!.outputs!.at(-1)).toMatchObject({
      output_type: "error",
      ename: "UnhandledRejection",
    });
  });

  it("fails for a kernel that ends, and shows its last words", async () => {
    const { status, stderr } = await runNotebook("exits", [
      "1",
      `require("fs").writeSync(2, "out of memory\\n"); process.exit(3)`,
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain("failed in cell 2: the kernel ended.\n  out of memory");
    expect(readExecuted("exits")[0]!.execution_count).toBe(1);
  });

  it("fails for a cell that takes longer than allowed", async () => {
    const cells = ["await new Promise(() => {});"];
    const { status, stderr } = await runNotebook("endless", cells, ["--timeout", "3"]);
    expect(status).toBe(1);
    expect(stderr).toContain("failed in cell 1: it took longer than the allowed 3 s.");
    expect(readExecuted("endless")).toHaveLength(1);
  });

  it("says of a long cell how far it is, as its progress bar does", async () => {
    const { status, stdout } = await runNotebook(
      "progress",
      ["fine", "long"],
      [...["--kernel", "misbehaving"], ...["--progress", "0"]],
    );
    expect(status).toBe(0);
    const [, fine, long, ...words] = stdout.trimEnd().split("\n");
    expect(fine).toMatch(/^ {2}\[1\/2\] fine \d+\.\d s$/);
    expect(long).toBe("  [2/2] long ");
    expect(words.slice(0, 2)).toEqual([
      "      Computing features: 1 of 3 images, 2 s left",
      "      Computing features: 2 of 3 images, 1 s left",
    ]);
    expect(words[2]).toMatch(/^ {6}done in \d+\.\d s$/);
  });

  it.each([
    ["dropped", "the kernel did not run it, it answered aborted."],
    ["dropped as tslab does", "the kernel did not run it, it answered abort."],
    ["not counted", "the kernel gave it no execution count."],
    ["quiet error", "QuietError: shown, not replied"],
  ])("fails for a cell that is %s", async (cell, reason) => {
    const name = cell.replaceAll(" ", "-");
    const { status, stderr } = await runNotebook(name, ["fine", cell], ["--kernel", "misbehaving"]);
    expect(stderr.trim()).toBe(`${join(project.notebooks, name)}.ipynb failed in cell 2: ${reason}`);
    expect(status).toBe(1);
  });

  it("says in one sentence that a notebook or a kernel is missing", async () => {
    const [notebook, kernel] = await Promise.all([
      startRunner(["nowhere.ipynb"]).ended,
      runNotebook("good-alone", ["1"], ["--kernel", "nobody"]),
    ]);
    expect(notebook).toMatchObject({ status: 1, stderr: "\nThere is no notebook nowhere.ipynb.\n" });
    expect(kernel.status).toBe(1);
    expect(kernel.stderr).toMatch(
      /^\nNo Jupyter kernel named nobody is installed .*: run npm start to set it up\.\n$/,
    );
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("stops at %s, leaves no kernel behind and keeps what was executed", async (name, status) => {
    const path = writeNotebook(`stopped-${name}`, [
      `require("fs").writeFileSync("${name}.pid", String(process.pid));`,
      "setInterval(() => {}, 1000); await new Promise(() => {});",
    ]);
    const run = startRunner([path]);
    while (!run.printed.text.includes("[2/2]")) await delay(50);
    const kernel = Number(readFileSync(join(project.folder, `${name}.pid`), "utf8"));
    expect(isRunning(kernel)).toBe(true);
    run.process.kill(name);
    const ended = await run.ended;
    expect(ended.status).toBe(status);
    expect(ended.stderr.trim()).toBe(`Stopped by ${name}; the kernel is shut down.`);
    expect(isRunning(kernel)).toBe(false);
    expect(readExecuted(`stopped-${name}`)[0]!.execution_count).toBe(1);
  });
});

it("leaves no temporary file of an executed notebook behind", () => {
  expect(readdirSync(outputFolder).filter((name) => !/^[\w-]+\.ipynb$/.test(name))).toEqual([]);
});
