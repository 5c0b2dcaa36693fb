import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createProject,
  type KernelSession,
  messagesOf,
  startKernel,
  streamText,
} from "../support/kernel/kernel-session";

const PLOTLY = "application/vnd.plotly.v1+json";

describe("displays", () => {
  const project = createProject({
    "src/figure.ts": `
      export class Figure {
        constructor(private readonly values: number[]) {}
        [Symbol.for("Jupyter.display")](): object {
          return { "${PLOTLY}": { data: [{ y: this.values }], layout: {} }, "text/plain": "Figure" };
        }
      }
      type Send = (bundle: object, displayId?: string, update?: boolean) => void;
      export const send: Send = (globalThis as any)[Symbol.for("breakhis-lab.display")];
    `,
  });
  let kernel: KernelSession;

  beforeAll(async () => {
    kernel = await startKernel(project.notebooks);
    await kernel.execute(`import { Figure, send } from "./src/figure";`);
  });
  afterAll(async () => {
    await kernel.close();
    project.remove();
  });

  it("show a last value that has a display method, as the cell's result", async () => {
    const cell = await kernel.execute("new Figure([1, 2])");
    expect(messagesOf(cell, "execute_result")).toEqual([
      {
        execution_count: cell.reply.execution_count,
        data: { [PLOTLY]: { data: [{ y: [1, 2] }], layout: {} }, "text/plain": "Figure" },
        metadata: {},
      },
    ]);
    expect(streamText(cell, "stdout")).toBe("");
  });

  it("await a display method that is asynchronous, and encode bytes", async () => {
    const cell = await kernel.execute(
      `({ [Symbol.for("Jupyter.display")]: async () => ({ "image/png": new Uint8Array([137, 80]) }) })`,
    );
    expect(messagesOf(cell, "execute_result")[0]!.data).toEqual({ "image/png": "iVA=" });
  });

  it("work for a method that is put on another library's prototype", async () => {
    const cell = await kernel.execute(
      `(Map.prototype as any)[Symbol.for("Jupyter.display")] = function () { return { "text/html": "" + this.size }; };\n` +
        "new Map([[1, 2]])",
    );
    expect(messagesOf(cell, "execute_result")[0]!.data).toEqual({ "text/html": "1" });
    await kernel.execute(`delete (Map.prototype as any)[Symbol.for("Jupyter.display")];`);
  });

  it("show nothing for a figure that is not the last value", async () => {
    const cell = await kernel.execute("const figure = new Figure([1]);");
    expect(cell.messages).toEqual([]);
  });

  it("fail the cell if the method throws", async () => {
    const cell = await kernel.execute(
      `({ [Symbol.for("Jupyter.display")]: () => { throw new Error("no values"); } })`,
    );
    expect(cell.reply).toMatchObject({ status: "error", evalue: "no values" });
    expect(messagesOf(cell, "error")).toHaveLength(1);
  });

  it("fail the cell if the method returns no MIME bundle", async () => {
    const cell = await kernel.execute(`({ [Symbol.for("Jupyter.display")]: () => ({ html: "<b>x</b>" }) })`);
    expect(cell.reply).toMatchObject({ status: "error", ename: "TypeError" });
    expect(cell.reply.evalue).toMatch(/MIME types as keys, but it has the keys html\.$/);
  });

  it("send several MIME types in one message and update them in place", async () => {
    const cell = await kernel.execute(`
      send({ "${PLOTLY}": { data: [] }, "text/html": "<p>0</p>" }, "live");
      for (let step = 1; step <= 2; step++) {
        send({ "${PLOTLY}": { data: [step] }, "text/html": "<p>" + step + "</p>" }, "live", true);
        await new Promise(setImmediate);
      }`);
    expect(cell.reply.status).toBe("ok");
    expect(cell.messages.map((message) => message.type)).toEqual([
      "display_data",
      "update_display_data",
      "update_display_data",
    ]);
    expect(cell.messages.map((message) => message.content.transient)).toEqual(
      Array(3).fill({ display_id: "live" }),
    );
    expect(cell.messages[2]!.content.data).toEqual({ [PLOTLY]: { data: [2] }, "text/html": "<p>2</p>" });
  });

  it("show values of other libraries, without an import that teaches them", async () => {
    const frame = await kernel.execute(
      `import { DataFrame } from "danfojs-node"; new DataFrame([{ part: "train", images: 144 }])`,
    );
    expect(messagesOf(frame, "execute_result")[0]!.data!["text/html"]).toContain(">144<");
    const figure = await kernel.execute(`({ data: [{ y: [1, 2] }], layout: { title: "Loss" } })`);
    expect(messagesOf(figure, "execute_result")[0]!.data![PLOTLY]).toMatchObject({ data: [{ y: [1, 2] }] });
    const tensor = await kernel.execute(`import * as tf from "@tensorflow/tfjs-node"; tf.tensor1d([0.5])`);
    expect(messagesOf(tensor, "execute_result")[0]!.data!["text/plain"]).toMatch(
      /^Tensor, float32, shape \[1\]/,
    );
  });

  it("arrive, however many a cell sends in one turn", async () => {
    const cell = await kernel.execute(
      `for (let i = 0; i < 2000; i++) { console.log("line " + i); if (i % 4 === 0) send({ "text/plain": i }, "f" + i); }\n` +
        `for (let i = 0; i < 2000; i++) send({ "text/plain": i }, "f0", true);\n"the end"`,
    );
    const lines = streamText(cell, "stdout").trim().split("\n");
    expect(lines).toEqual([...Array.from({ length: 2000 }, (_, i) => `line ${i}`), "the end"]);
    expect(messagesOf(cell, "display_data")).toHaveLength(500);
    const updates = messagesOf(cell, "update_display_data");
    expect(updates.at(-1)!.data).toEqual({ "text/plain": 1999 });
    // Each display stands where it was sent: after the line printed before it.
    const types = cell.messages
      .map((message) => message.type)
      .filter((type, i, all) => type !== "stream" || all[i - 1] !== "stream");
    expect(types.slice(0, 4)).toEqual(["stream", "display_data", "stream", "display_data"]);
  });

  it("are followed while a cell never lets the event loop turn", async () => {
    const cell = await kernel.execute(
      `console.log("begun"); const startedAt = Date.now(); while (true) if (Date.now() - startedAt > 150) console.log("on");`,
      { interruptOn: ["on\n"] },
    );
    expect(cell.reply.status).toBe("error");
  });

  it("leave while the cell goes on, if it lets the event loop turn", async () => {
    // The interrupt is sent when the text arrives; without it the cell would never end.
    const cell = await kernel.execute(
      `await new Promise((r) => setTimeout(r, 100));\n` +
        `console.log("on its way"); while (true) await new Promise(setImmediate);`,
      { interruptOn: ["on its way"] },
    );
    expect(cell.reply.status).toBe("error");
  });

  it("keep tslab's own functions working", async () => {
    const cell = await kernel.execute(`
      import * as tslab from "tslab";
      const display = tslab.newDisplay();
      display.html("<b>1</b>");
      display.html("<b>2</b>");`);
    const [first, second] = cell.messages;
    expect([first!.type, second!.type]).toEqual(["display_data", "update_display_data"]);
    expect(second!.content.data).toEqual({ "text/html": "<b>2</b>" });
    expect(second!.content.transient).toEqual(first!.content.transient);
  });
});
