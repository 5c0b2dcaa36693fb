import { describe, expect, it } from "vitest";
import { SilenceWatch } from "../../../src/data/fetch/silence";

describe("SilenceWatch", () => {
  /** Goes through steps of waiting and arriving with a clock of its own. */
  function watch(steps: readonly { waitMs: number; bytes: number; busyMs?: number }[]): string | null {
    let now = 0;
    const watched = new SilenceWatch({ stallMs: 30_000, leastRate: 1_000 }, undefined, () => now);
    for (const { waitMs, bytes, busyMs = 0 } of steps) {
      now += waitMs;
      watched.signOfLife(bytes);
      watched.pause();
      now += busyMs;
      watched.resume();
      if (watched.signal.aborted) return (watched.signal.reason as Error).message;
    }
    watched.stop();
    return null;
  }
  const repeat = <T>(count: number, step: T): T[] => Array.from({ length: count }, () => step);

  it("gives up on a server that sends too little for as long as its silence would be borne", () => {
    expect(watch(repeat(149, { waitMs: 200, bytes: 1 }))).toBeNull();
    expect(watch(repeat(150, { waitMs: 200, bytes: 1 }))).toMatch(
      /sends 5 bytes a second, less than the 1000/,
    );
  });

  it("bears a slow one, one that was fast before it pauses, and our own slowness", () => {
    expect(watch(repeat(2_000, { waitMs: 200, bytes: 250 }))).toBeNull();
    expect(
      watch([
        { waitMs: 100, bytes: 1e6 },
        { waitMs: 29_000, bytes: 1 },
        { waitMs: 29_000, bytes: 5e4 },
      ]),
    ).toBeNull();
    expect(watch(repeat(100, { waitMs: 10, bytes: 500, busyMs: 60_000 }))).toBeNull();
  });
});
