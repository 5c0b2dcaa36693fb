import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProject, type KernelSession, startKernel, streamText } from "../support/kernel/kernel-session";

describe("objects written in shorthand", () => {
  const project = createProject({});
  let kernel: KernelSession;

  beforeAll(async () => {
    kernel = await startKernel(project.notebooks);
    await kernel.execute("const epochs = 3; let rate = 0.1;");
  });
  afterAll(async () => {
    await kernel.close();
    project.remove();
  });

  it.each([
    { title: "hold names of earlier cells", code: "({ epochs, rate })", text: "{ epochs: 3, rate: 0.1 }" },
    {
      title: "hold names of earlier and of this cell",
      code: "const seed = 1; console.log({ epochs, seed });",
      text: "{ epochs: 3, seed: 1 }",
    },
    { title: "work in functions", code: "(() => ({ epochs }))()", text: "{ epochs: 3 }" },
    {
      title: "take a parameter rather than an earlier cell's name",
      code: "((epochs: number) => ({ epochs }))(7)",
      text: "{ epochs: 7 }",
    },
    { title: "assign to earlier cells' variables", code: "({ rate } = { rate: 0.5 }); rate", text: "0.5" },
  ])("$title", async ({ code, text }) => {
    const cell = await kernel.execute(code);
    expect(cell.reply.status).toBe("ok");
    expect(streamText(cell, "stdout").trim()).toBe(text);
  });
});
