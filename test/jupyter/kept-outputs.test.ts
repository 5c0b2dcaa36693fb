import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProject, type KernelSession, startKernel } from "../support/kernel/kernel-session";

interface Kept {
  cellId: string;
  request: string;
  running: boolean;
  executionCount: number | null;
  outputs: { output_type: string; text?: string; data?: object; ename?: string }[];
}

describe("what cells have shown while no page was there", () => {
  const project = createProject({
    "src/send.ts": `
      type Send = (bundle: object, displayId?: string, update?: boolean) => void;
      export const send: Send = (globalThis as any)[Symbol.for("breakhis-lab.display")];
    `,
  });
  let kernel: KernelSession;

  beforeAll(async () => {
    kernel = await startKernel(project.notebooks);
    const imports = [`import { send } from "./src/send";`, `import { existsSync } from "node:fs";`];
    await kernel.execute(imports.join("\n"));
  });
  afterAll(async () => {
    await kernel.close();
    project.remove();
  });

  /** What a page gets that is opened now. */
  async function ask(): Promise<{ cells: Kept[]; states: string[] }> {
    const content = { comm_id: "page", target_name: "breakhis-lab.kept-outputs", data: {} };
    const { data, states } = await kernel.comm("comm_open", content);
    return { cells: (data as { cells: Kept[] }).cells, states };
  }
  const seen = (request: string) => kernel.comm("comm_msg", { comm_id: "page", data: { seen: request } });

  /** Asks until a cell is as expected; a cell that runs is a moment ahead of what it was last asked. */
  async function askUntil(holds: (cells: Kept[]) => boolean) {
    for (;;) {
      const answer = await ask();
      if (holds(answer.cells)) return answer;
    }
  }

  it("is told while a cell runs, with displays as they are now, and the kernel stays busy", async () => {
    const running = await kernel.begin(
      [
        `console.log("begun"); send({ "text/plain": "0" }, "live"); console.log("then");`,
        `send({ "text/plain": "7" }, "live", true);`,
        `while (!existsSync("go")) await new Promise(setImmediate);`,
        `send({ "text/plain": "8" }, "live", true); "the value"`,
      ].join("\n"),
      "cell-a",
    );
    const waiting = await kernel.begin(`throw new RangeError("too far")`, "cell-b");
    const { cells, states } = await askUntil(([cell]) => cell?.outputs.length === 3);
    expect(cells).toEqual([
      {
        cellId: "cell-a",
        request: running,
        session: expect.any(String),
        running: true,
        executionCount: null,
        outputs: [
          { output_type: "stream", name: "stdout", text: "begun\n" },
          { output_type: "display_data", data: { "text/plain": "7" }, metadata: {} },
          { output_type: "stream", name: "stdout", text: "then\n" },
        ],
      },
      expect.objectContaining({ cellId: "cell-b", request: waiting, running: true, outputs: [] }),
    ]);
    expect(states.at(-1)).toBe("idle");
    // The last word is what a page believes.
    expect((await kernel.listen("status")).content).toEqual({ execution_state: "busy" });
    await seen(running);
    expect((await ask()).cells).toHaveLength(2);
    // What JupyterLab asks when a notebook is opened leaves nothing under the cell.
    for (const type of ["history_request", "debug_request"]) await kernel.comm(type, {});
    expect((await ask()).cells[0]!.outputs).toEqual(cells[0]!.outputs);
  });

  it("is told when it has ended, until a page has seen it", async () => {
    project.write("go", "");
    const { cells } = await askUntil((all) => all.every(({ running }) => !running));
    const [first, second] = cells as [Kept, Kept];
    expect(first.outputs.slice(1)).toEqual([
      { output_type: "display_data", data: { "text/plain": "8" }, metadata: {} },
      { output_type: "stream", name: "stdout", text: "then\nthe value\n" },
    ]);
    expect(second.executionCount).toBe(first.executionCount! + 1);
    expect(second.outputs).toMatchObject([{ output_type: "error", ename: "RangeError" }]);
    await seen(first.request);
    expect((await ask()).cells).toEqual([second]);
    await seen(second.request);
    expect((await ask()).cells).toEqual([]);
  });

  it("is of a cell's last run alone, and of a flood of text the end, which says so", async () => {
    await kernel.begin(`console.log("earlier")`, "cell-a");
    const request = await kernel.begin(
      `for (let i = 0; i < 50_000; i++) console.log("line " + i);`,
      "cell-a",
    );
    const { cells } = await askUntil(([cell]) => cell?.request === request && !cell.running);
    expect(cells).toHaveLength(1);
    const { text } = cells[0]!.outputs[0]!;
    expect(text).toMatch(/^\[… what was printed before this is not kept[^\n]+\]\n/);
    expect(text).toMatch(/\nline 49998\nline 49999\n$/);
    await seen(request);
  });

  it("is not kept of cells that have no name, and other comms are left alone", async () => {
    await kernel.execute(`console.log("from a program")`);
    expect((await ask()).cells).toEqual([]);
    const other = { comm_id: "other", target_name: "jupyter.widget", data: {} };
    expect(await kernel.comm("comm_open", other)).toEqual({ data: null, states: ["busy", "idle"] });
  });
});
