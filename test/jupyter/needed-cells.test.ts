import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProject, type KernelSession, startKernel, streamText } from "../support/kernel/kernel-session";
import { writeNotebook } from "../support/kernel/notebook-file";

const settings = `// What is asked for.\nconst settings = { size: 3 };`;
const data = `const { rows, count } = load(settings.size);`;
const training = `const training = { best: rows.length * count };`;

describe("cells that need others", () => {
  const project = createProject({
    "src/load.ts": [
      "export function load(size: number): { rows: number[]; count: number } {",
      `  if (size < 0) throw new RangeError("A size is at least 0.");`,
      "  return { rows: Array(size).fill(1), count: size };",
      "}",
    ].join("\n"),
  });
  const notebook = join(project.notebooks, "my.ipynb");
  const imports = `import { load } from "./src/load";`;
  writeNotebook(notebook, [imports, settings, data, training]);
  let kernel: KernelSession;

  beforeAll(async () => {
    kernel = await startKernel(project.notebooks, { JPY_SESSION_NAME: notebook });
  });
  afterAll(async () => {
    await kernel.close();
    project.remove();
  });

  const failureOf = async (code: string) => {
    const { reply } = await kernel.execute(code);
    expect(reply.status).toBe("error");
    expect(reply.traceback).toEqual([`${reply.ename}: ${reply.evalue}`]);
    return reply.evalue;
  };
  const run = async (code: string) => expect((await kernel.execute(code)).reply.status).toBe("ok");

  it("name those that have not run, in the notebook's order", async () => {
    expect(await failureOf(data)).toBe(
      "`load` (and 1 more name) comes from a cell that has not run. Run first the one that begins with " +
        '`import { load } from "./src/load";`, then the one that begins with `const settings = { size: 3 };`.',
    );
    await run(imports);
    // That one was refused, so it failed.
    expect(await failureOf(training)).toMatch(/^`rows` \(and 1 more name\) comes from a cell that failed/);
  });

  it("name the one that failed, the first time and when there was a value before", async () => {
    await run("const settings = { size: -1 };");
    expect((await kernel.execute(data)).reply.evalue).toBe("A size is at least 0.");
    expect(await failureOf(training)).toBe(
      "`rows` (and 1 more name) comes from a cell that failed or was stopped. Run first the one that begins with " +
        "`const { rows, count } = load(settings.size);`.",
    );
    await run(settings);
    await run(data);
    await run(training);
    await run("const settings = { size: -1 };");
    await kernel.execute(data);
    expect(await failureOf(training)).toMatch(/^`rows` \(and 1 more name\) comes from a cell that failed/);
    await run(settings);
    await run(data);
    await run(training);
  });

  it("are told by names that they use, not by fields or names of their own", async () => {
    await kernel.execute(`const lost = load(-1);`);
    await run(`const of = (lost: number) => lost + 1; ({ lost: of(1) }).lost`);
    await run(`[1].map((lost) => lost)`);
    expect(await failureOf("lost.rows")).toMatch(/^`lost` comes from a cell that failed/);
    expect(await failureOf("({ lost })")).toMatch(/^`lost` comes from a cell that failed/);
    await run("const lost = 1;");
    await run("lost");
  });

  it("still hear of names that nobody makes", async () => {
    expect(await failureOf("nobody")).toBe("line 1: Cannot find name 'nobody'.");
  });
});

describe("pasted code", () => {
  const project = createProject({ "src/data.json": `{ "name": "ours" }` });
  let kernel: KernelSession;

  beforeAll(async () => {
    kernel = await startKernel(project.notebooks);
  });
  afterAll(async () => {
    await kernel.close();
    project.remove();
  });

  const evalueOf = async (code: string) => (await kernel.execute(code)).reply.evalue;

  it("may begin its declarations with `export`", async () => {
    const cell = await kernel.execute(
      "export function half(x: number): number {\n  return x / 2;\n}\nexport const three = half(6);\nthree",
    );
    expect(streamText(cell, "stdout")).toBe("3\n");
    expect(streamText(await kernel.execute("half(three)"), "stdout")).toBe("1.5\n");
  });

  it.each(["const a = 1;\nexport { a };", "export default 1;", `export * from "node:path";`])(
    "hears that a cell exports nothing: %s",
    async (code) => {
      expect(await evalueOf(code)).toMatch(/^A cell exports nothing: leave out `export`/);
    },
  );

  it("hears where a cell's paths begin", async () => {
    expect(await evalueOf(`import about from "../package.json"; about.name`)).toMatch(
      /begin at the project's folder, .*: write "\.\/package\.json" instead of "\.\.\/package\.json"; JSON elsewhere/,
    );
    const cell = await kernel.execute(`import about from "./src/data.json"; about.name`);
    expect(streamText(cell, "stdout")).toBe("ours\n");
  });

  it("hears that a package is for browsers", async () => {
    expect(await evalueOf(`import Plotly from "plotly.js-dist"; Plotly`)).toMatch(
      /^The package plotly\.js-dist works in a browser only .*leave Plotly's \{ data, layout \}/,
    );
  });

  it("computes with the native runtime, whichever of TensorFlow.js' packages it names", async () => {
    const cell = await kernel.execute(`import * as tf from "@tensorflow/tfjs"; tf.getBackend()`);
    expect(streamText(cell, "stdout")).toBe("tensorflow\n");
  });
});
