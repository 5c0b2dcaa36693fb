import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type CellResult,
  createProject,
  type KernelSession,
  startKernel,
  streamText,
} from "../support/kernel/kernel-session";

const BOTTOM = "src/deep/bottom.ts";
const bottom = (value: string) => `export function bottom(): string {\n  return ${value};\n}\n`;
const IMPORT = `import { top } from "./src/top"; top()`;

describe("src files edited while the kernel runs", () => {
  const project = createProject({
    "src/top.ts": `import { middle } from "./deep/middle";\nexport const top = () => "top " + middle();\n`,
    "src/deep/middle.ts": `import { bottom } from "./bottom";\nexport const middle = () => "middle " + bottom();\n`,
    [BOTTOM]: bottom(`"one"`),
    "src/counter.ts": `let count = 0;\nexport const next = () => ++count;\n`,
  });
  let kernel: KernelSession;

  beforeAll(async () => {
    kernel = await startKernel(project.notebooks);
  });
  afterAll(async () => {
    await kernel.close();
    project.remove();
  });

  const expectTop = (cell: CellResult, text: string) => {
    expect(cell.reply.status).toBe("ok");
    expect(streamText(cell, "stdout")).toBe(`${text}\n`);
  };

  it("are picked up at once by the import cell, two levels down", async () => {
    expectTop(await kernel.execute(IMPORT), "top middle one");
    project.write(BOTTOM, bottom(`"two"`));
    expectTop(await kernel.execute(IMPORT), "top middle two");
  });

  it("stay as they were in cells until the import cell is run", async () => {
    project.write(BOTTOM, bottom(`"three"`));
    expectTop(await kernel.execute("top()"), "top middle two");
    expectTop(await kernel.execute(IMPORT), "top middle three");
  });

  it("are picked up when an editor replaces the file", async () => {
    project.write("src/deep/bottom.ts.new", bottom(`"four"`));
    renameSync(join(project.folder, "src/deep/bottom.ts.new"), join(project.folder, BOTTOM));
    expectTop(await kernel.execute(IMPORT), "top middle four");
  });

  it("keep their state when nothing was edited, also when another file is imported for the first time", async () => {
    const count = `import { next } from "./src/counter"; next()`;
    expectTop(await kernel.execute(count), "1");
    expectTop(await kernel.execute(count), "2");
    project.write("src/late.ts", `import { next } from "./counter";\nexport const late = () => next();\n`);
    expectTop(await kernel.execute(`import { late } from "./src/late"; late()`), "3");
  });

  it("name file and line of a syntax error, and recover with the next correct edit", async () => {
    project.write(BOTTOM, bottom(`"five" +`));
    const broken = await kernel.execute(IMPORT);
    expect(broken.reply).toMatchObject({
      status: "error",
      ename: "CompileError",
      evalue: "src/deep/bottom.ts:2:18: Expression expected.",
    });
    expect((await kernel.execute("1 + 1")).reply.status).toBe("ok");
    expectTop(await kernel.execute("top()"), "top middle four");
    project.write(BOTTOM, bottom(`"five"`));
    expectTop(await kernel.execute(IMPORT), "top middle five");
  });

  it("name file and line of a type error with a long explanation", async () => {
    project.write(
      BOTTOM,
      `const wrong: { a: { b: string } } = { a: { b: 1 } as { b: number } };\n${bottom(`"six"`)}`,
    );
    const broken = await kernel.execute(IMPORT);
    expect(broken.reply.evalue).toMatch(
      /^src\/deep\/bottom\.ts:1:39: Type '{ b: number; }' is not assignable/,
    );
    expect(broken.reply.traceback![0]).toContain("Type 'number' is not assignable to type 'string'.");
    project.write(BOTTOM, bottom(`"six"`));
    expectTop(await kernel.execute(IMPORT), "top middle six");
  });

  it("name the importing line of a removed file, and recover when it is back", async () => {
    rmSync(join(project.folder, BOTTOM));
    const broken = await kernel.execute(IMPORT);
    expect(broken.reply.evalue).toBe("Cannot find module './bottom'");
    expect(broken.reply.traceback![1]).toMatch(/^ {4}at src\/deep\/middle\.ts:1:\d+$/);
    project.write(BOTTOM, bottom(`"seven"`));
    expectTop(await kernel.execute(IMPORT), "top middle seven");
  });

  it("are found when they are written after a failed import", async () => {
    const importNew = `import { fresh } from "./src/fresh/file"; fresh`;
    const missing = await kernel.execute(importNew);
    expect(missing.reply.evalue).toMatch(/^line 1: Cannot find module '\.\/src\/fresh\/file'/);
    project.write("src/fresh/file.ts", `export const fresh = "fresh";\n`);
    expectTop(await kernel.execute(importNew), "fresh");
  });

  it("load again after one of them threw while loading", async () => {
    project.write(BOTTOM, `${bottom(`"eight"`)}throw new Error("no data");\n`);
    const broken = await kernel.execute(IMPORT);
    expect(broken.reply.traceback!.slice(0, 2)).toEqual(["Error: no data", "    at src/deep/bottom.ts:4:7"]);
    project.write(BOTTOM, bottom(`"eight"`));
    expectTop(await kernel.execute(IMPORT), "top middle eight");
  });

  it("may import each other in a circle, as in any Node program", async () => {
    project.write(
      "src/hen.ts",
      `import { egg } from "./egg";\nexport const hen = (): string => egg() + "!";\n`,
    );
    project.write(
      "src/egg.ts",
      `import { hen } from "./hen";\nexport const egg = (): string => typeof hen;\n`,
    );
    expectTop(await kernel.execute(`import { hen } from "./src/hen"; hen()`), "function!");
  });
});
