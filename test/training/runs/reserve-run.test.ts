import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { reserveRun } from "../../../src/training/runs/reserve-run";
import { temporaryFolder } from "../../support/temporary-folder";

it("makes a folder named by the local time, and nobody gets the same one", () => {
  const runs = join(temporaryFolder("reserve-run"), "reserved");
  const now = new Date(2026, 10, 3, 21, 30, 5);
  const ids = [1, 2, 3].map(() => reserveRun(runs, now));
  expect(ids).toEqual(["2026-11-03T21-30-05", "2026-11-03T21-30-05-2", "2026-11-03T21-30-05-3"]);
  expect(readdirSync(runs).sort()).toEqual([...ids].sort());
});
