import { describe, expect, it } from "vitest";
import { attempt, attemptAfter, valueOr } from "../../src/runtime/attempt";
import { rangeRefusal } from "../../src/runtime/refusal";

describe("attempt", () => {
  it("keeps a value, or the sentence of a refusal", async () => {
    expect(await attempt(() => Promise.resolve(3))).toEqual({ ok: true, value: 3 });
    const refused = await attempt(() => {
      throw rangeRefusal("Too few patients.");
    });
    expect(refused).toEqual({ ok: false, reason: "Too few patients." });
    expect(valueOr(refused, "none")).toBe("none");
  });

  it("lets mistakes in programs through", async () => {
    const broken = () => (undefined as unknown as { x: number }).x;
    await expect(attempt(broken)).rejects.toThrow(TypeError);
  });

  it("lets through what the machine refuses, of whatever class", async () => {
    const endless = (): number => endless() + 1;
    await expect(attempt(endless)).rejects.toThrow(/call stack/);
    await expect(attempt(() => new Array(-1))).rejects.toThrow(/array length/);
    await expect(
      attempt(() => {
        throw new Error("ENOSPC: no space left on device");
      }),
    ).rejects.toThrow(/ENOSPC/);
  });

  it("goes on only after a value, and hands on the first refusal", async () => {
    expect(await attemptAfter({ ok: true, value: 2 }, (value) => value + 1)).toEqual({ ok: true, value: 3 });
    const refusal = { ok: false as const, reason: "No." };
    expect(await attemptAfter(refusal, () => 1)).toBe(refusal);
  });
});
