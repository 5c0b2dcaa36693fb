import { describe, expect, it } from "vitest";
import { breathe, requestStop, runCooperatively } from "../../src/runtime/interruption";

describe("runCooperatively", () => {
  it("lets work that is asked to stop return what it has", async () => {
    const work = runCooperatively("counting", async (signal) => {
      let count = 0;
      while (!signal.aborted) {
        count++;
        await breathe();
      }
      return count;
    });
    await breathe();
    expect(requestStop()).toEqual(["counting"]);
    expect(await work).toBeGreaterThan(0);
  });

  it("forgets tasks that have ended, also those that failed", async () => {
    await runCooperatively("quick", async () => 1);
    await expect(
      runCooperatively("broken", async () => {
        throw new Error("broken");
      }),
    ).rejects.toThrow("broken");
    expect(requestStop()).toEqual([]);
  });
});

describe("breathe", () => {
  it("lets timers run", async () => {
    let ticked = false;
    setTimeout(() => {
      ticked = true;
    }, 0);
    const due = Date.now() + 5;
    while (Date.now() < due); // the timer comes due while the thread is busy
    await breathe();
    expect(ticked).toBe(true);
  });
});
