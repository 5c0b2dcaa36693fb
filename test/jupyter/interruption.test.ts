import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createProject,
  type KernelSession,
  messagesOf,
  startKernel,
  streamText,
} from "../support/kernel/kernel-session";

describe("an interrupt", () => {
  const project = createProject({
    // A task as src/runtime registers it: it stops at the next step after it was asked, or never.
    "src/task.ts": `
      const key = Symbol.for("breakhis-lab.cooperative-tasks");
      const tasks: Set<{ name: string; controller: AbortController }> = ((globalThis as any)[key] ??= new Set());
      export async function countSteps(name: string, obedient = true): Promise<number> {
        const task = { name, controller: new AbortController() };
        tasks.add(task);
        try {
          let steps = 0;
          while (!(obedient && task.controller.signal.aborted)) {
            steps += 1;
            if (steps === 100) console.log(name + " runs");
            if (!obedient && task.controller.signal.aborted && steps % 1000 === 0) console.log(name + " ignores it");
            await new Promise(setImmediate);
          }
          return steps;
        } finally {
          tasks.delete(task);
        }
      }
    `,
  });
  let kernel: KernelSession;

  beforeAll(async () => {
    kernel = await startKernel(project.notebooks);
    await kernel.execute(`import { countSteps } from "./src/task";`);
  });
  afterAll(async () => {
    await kernel.close();
    project.remove();
  });

  it("stops a cooperative task, and the cell ends normally and keeps its names", async () => {
    const cell = await kernel.execute(
      `const before = "b";\nconst steps = await countSteps("counting");\nsteps >= 100`,
      {
        interruptOn: ["counting runs"],
      },
    );
    expect(cell.reply.status).toBe("ok");
    expect(messagesOf(cell, "error")).toEqual([]);
    expect(streamText(cell, "stdout")).toBe("counting runs\ntrue\n");
    const next = await kernel.execute("before + (steps >= 100)");
    expect(streamText(next, "stdout")).toBe("btrue\n");
  });

  it("stops all cooperative tasks at once", async () => {
    const cell = await kernel.execute(
      `const both = await Promise.all([countSteps("one"), countSteps("two")]);\nboth.length`,
      { interruptOn: ["two runs"] },
    );
    expect(cell.reply.status).toBe("ok");
    expect(streamText(cell, "stdout")).toMatch(/2\n$/);
  });

  it("stops the cell the hard way when no task is registered, and the kernel lives on", async () => {
    const cell = await kernel.execute(
      `await new Promise((r) => setTimeout(r, 100));\nconsole.log("waiting"); await new Promise(() => {});`,
      { interruptOn: ["waiting"] },
    );
    expect(cell.reply).toMatchObject({ status: "error", ename: "Interrupted" });
    expect(messagesOf(cell, "error")[0]!.traceback).toHaveLength(1);
    expect(streamText(await kernel.execute("6 * 7"), "stdout")).toBe("42\n");
  });

  it("stops a loop that never yields", async () => {
    const cell = await kernel.execute(`console.log("spinning"); while (true) {}`, {
      interruptOn: ["spinning"],
    });
    expect(cell.reply).toMatchObject({ status: "error", ename: "Interrupted" });
    expect(await kernel.alive()).toBe(true);
  });

  it("given twice, stops a task that does not listen the hard way", async () => {
    const cell = await kernel.execute(`await countSteps("deaf", false);`, {
      interruptOn: ["deaf runs", "deaf ignores it"],
    });
    expect(cell.reply).toMatchObject({ status: "error", ename: "Interrupted" });
    expect(await kernel.alive()).toBe(true);
  });
});
