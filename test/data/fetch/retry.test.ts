import { describe, expect, it } from "vitest";
import { lastingError, withRetryAfter } from "../../../src/data/fetch/download-problems";
import { backOffMs, pauseOrThrow, retryAfterMs } from "../../../src/data/fetch/retry";

describe("retryAfterMs", () => {
  it.each([
    ["120", 120_000],
    ["0", 0],
    ["Thu, 01 Jan 1970 00:01:00 GMT", 50_000],
    ["Thu, 01 Jan 1970 00:00:01 GMT", 0],
    ["soon", null],
    ["-5", null],
    ["", null],
    [null, null],
  ])("reads %j as %j", (header, expected) => {
    expect(retryAfterMs(header, 10_000)).toBe(expected);
  });
});

describe("backOffMs", () => {
  it("doubles, up to half a minute, and varies by half", () => {
    const longest = [1, 2, 3, 6, 60].map((failures) => backOffMs(failures, 1_000, () => 1));
    expect(longest).toEqual([1_000, 2_000, 4_000, 30_000, 30_000]);
    expect(backOffMs(2, 1_000, () => 0)).toBe(1_000);
  });
});

describe("pauseOrThrow", () => {
  it("gives up on what lasts, after enough tries, and when asked to wait too long", async () => {
    const pauses: number[] = [];
    const wait = async (milliseconds: number) => void pauses.push(milliseconds);
    const broken = new Error("broken");
    await expect(pauseOrThrow(lastingError("no"), 1, { wait })).rejects.toThrow("no");
    await expect(pauseOrThrow(broken, 3, { wait, attempts: 3 })).rejects.toThrow("broken");
    const patient = { wait, patienceMs: 60_000 };
    await expect(pauseOrThrow(withRetryAfter(broken, 61_000), 1, patient)).rejects.toThrow(
      "broken and asks to come back in 2 min",
    );
    expect(pauses).toEqual([]);
    await pauseOrThrow(withRetryAfter(new Error("busy"), 60_000), 1, patient);
    await pauseOrThrow(new Error("busy"), 2, { wait, retryDelayMs: 100 });
    expect(pauses[0]).toBe(60_000);
    expect(pauses[1]).toBeGreaterThanOrEqual(100);
    expect(pauses[1]).toBeLessThanOrEqual(200);
  });

  it("ends at once when aborted", async () => {
    const controller = new AbortController();
    const pausing = pauseOrThrow(new Error("broken"), 1, { retryDelayMs: 60_000, signal: controller.signal });
    controller.abort();
    await expect(pausing).rejects.toThrow(/abort/i);
  });
});
