import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type CellResult,
  createProject,
  type KernelSession,
  messagesOf,
  startKernel,
  streamText,
} from "../support/kernel/kernel-session";

describe("a cell that fails", () => {
  const project = createProject({
    "src/thing.ts": [
      "export interface Thing {",
      "  size: number;",
      "}",
      "",
      "export function measure(thing: Thing): number {",
      "  // The line below is reported, though types and comments move it in the compiled file.",
      `  if (thing.size < 0) throw new RangeError("A thing has a size of at least 0, not " + thing.size + ".");`,
      "  return thing.size;",
      "}",
      "",
    ].join("\n"),
  });
  let kernel: KernelSession;

  beforeAll(async () => {
    kernel = await startKernel(project.notebooks);
  });
  afterAll(async () => {
    await kernel.close();
    project.remove();
  });

  /** The reply and one error message say the same, and nothing is printed twice. */
  function expectError(cell: CellResult, ename: string, evalue: string, where: string[]): void {
    const error = { ename, evalue, traceback: [`${ename}: ${evalue}`, ...where] };
    expect(cell.reply).toMatchObject({ status: "error", ...error });
    expect(messagesOf(cell, "error")).toEqual([error]);
    expect(streamText(cell, "stderr")).toBe("");
  }

  it("sends name, message and the places in src and cells, all in lines of their sources", async () => {
    await kernel.execute(
      [
        `import { type Thing, measure } from "./src/thing";`,
        "interface Box extends Thing { label: string }",
        "",
        "function measureBox(box: Box): number {",
        "  return measure(box);",
        "}",
      ].join("\n"),
    );
    const cell = await kernel.execute(`const label = "b";\nmeasureBox({\n  size: -1,\n  label,\n});`);
    expectError(cell, "RangeError", "A thing has a size of at least 0, not -1.", [
      "    at measure (src/thing.ts:7:29)",
      "    at measureBox (cell [1], line 5)",
      "    at cell [2], line 2",
    ]);
  });

  it("sends what a promise was rejected with", async () => {
    const cell = await kernel.execute(`1;\nawait Promise.reject(new TypeError("late"));`);
    expectError(cell, "TypeError", "late", ["    at cell [3], line 2"]);
  });

  it("adds causes as one line each", async () => {
    const cell = await kernel.execute(`throw new Error("outer", { cause: new TypeError("inner") });`);
    expectError(cell, "Error", "outer", ["    at cell [4], line 1", "Caused by TypeError: inner"]);
  });

  it("sends thrown values that are no errors", async () => {
    expectError(await kernel.execute(`throw { code: 7 };`), "Thrown", "{ code: 7 }", []);
  });

  it("leaves out the stack of a missing package and the innards of Node", async () => {
    const cell = await kernel.execute(`require("no-such-package")`);
    expectError(cell, "Error", "Cannot find module 'no-such-package'", ["    at cell [6], line 1"]);
  });

  it("has at most four places, however deep the stack", async () => {
    const cell = await kernel.execute(
      `function dig(depth: number): void { if (depth === 0) throw new Error("deep"); dig(depth - 1); }\ndig(50);`,
    );
    expect(cell.reply.traceback).toEqual(["Error: deep", ...Array(4).fill("    at dig (cell [7], line 1)")]);
  });

  it("sends what the compiler found, line by line", async () => {
    const cell = await kernel.execute(`const a = 1;\nconst b: string = a;\nc();`);
    expectError(cell, "CompileError", "line 2: Type 'number' is not assignable to type 'string'.", [
      "line 3: Cannot find name 'c'.",
    ]);
  });

  it("sends at most five compiler messages", async () => {
    const cell = await kernel.execute("a1; a2; a3; a4; a5; a6; a7");
    expect(cell.reply.traceback).toHaveLength(6);
    expect(cell.reply.traceback![5]).toBe("… and 2 more.");
  });

  it("is told how to await a bracket", async () => {
    const cell = await kernel.execute("await (async () => 1)()");
    expect(cell.reply.evalue).toMatch(/^In a cell, no bracket may follow `await`/);
  });

  it("makes the waiting cells reply `aborted`, and the next one after it runs", async () => {
    const cells = await kernel.executeAll(["1", `throw new Error("stop")`, "2", "3"]);
    expect(cells.map((cell) => cell.reply.status)).toEqual(["ok", "error", "aborted", "aborted"]);
    expect(cells[2]!.reply.execution_count).toBeUndefined();
    expect((await kernel.execute("4")).reply.status).toBe("ok");
  });

  it("lets the waiting cells run if it was sent with stop_on_error: false", async () => {
    const cells = await kernel.executeAll([`throw new Error("go on")`, "2", "3"], { stopOnError: false });
    expect(cells.map((cell) => cell.reply.status)).toEqual(["error", "ok", "ok"]);
    expect(streamText(cells[2]!, "stdout")).toBe("3\n");
  });

  describe("outside its own flow", () => {
    it("fails if it leaves a rejected promise to nobody", async () => {
      const cell = await kernel.execute(`Promise.reject(new Error("lost")); "value"`);
      const evalue = "A promise that nobody awaits was rejected. Error: lost";
      const count = cell.reply.execution_count;
      expectError(cell, "UnhandledRejection", evalue, [`    at cell [${count}], line 1`]);
      expect(streamText(cell, "stdout")).toBe("value\n");
    });

    it("fails if something is rejected while it waits", async () => {
      const cell = await kernel.execute(
        `setTimeout(() => Promise.reject(new Error("lost")), 20); await new Promise((r) => setTimeout(r, 200));`,
      );
      expect(cell.reply).toMatchObject({ status: "error", ename: "UnhandledRejection" });
      expect(messagesOf(cell, "error")).toHaveLength(1);
    });

    it("shows a rejection that comes after the cell has ended", async () => {
      const cell = await kernel.execute(`setTimeout(() => Promise.reject(new Error("later")), 300); null`);
      expect(cell.reply.status).toBe("ok");
      const { parent, content } = await kernel.listen("error");
      expect(parent).toBe(cell.id);
      expect(content.ename).toBe("UnhandledRejection");
      expect(content.evalue).toContain("Error: later");
    });

    it("shows what a timer throws, and the kernel lives on", async () => {
      const cell = await kernel.execute(`setTimeout(() => { throw new TypeError("tick"); }, 300); null`);
      expect(cell.reply.status).toBe("ok");
      const { parent, content } = await kernel.listen("error");
      expect(parent).toBe(cell.id);
      expect(content.ename).toBe("UncaughtException");
      expect(content.evalue).toBe(
        "An error was thrown outside any cell, in a timer or an event. TypeError: tick",
      );
      const next = await kernel.execute("40 + 2");
      expect(streamText(next, "stdout")).toBe("42\n");
    });

    it("does not fail for a rejection that is handled", async () => {
      const cell = await kernel.execute(`Promise.reject(new Error("expected")).catch(() => {}); null`);
      expect(cell.reply.status).toBe("ok");
      expect(cell.messages).toEqual([]);
    });
  });
});
