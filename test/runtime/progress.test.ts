import { expect, it } from "vitest";
import { onProgress, type ProgressState, startProgress } from "../../src/runtime/progress";

it("tells every listener how far a step has come, until it stops listening", () => {
  const seen: ProgressState[] = [];
  const stopListening = onProgress((state) => seen.push(state));
  const progress = startProgress("Decoding images", 3, "images");
  progress.advance();
  progress.advance(2);
  progress.finish();
  progress.finish();
  stopListening();
  startProgress("Unheard", 1, "images").finish();
  expect(seen.map(({ done, finished }) => [done, finished])).toEqual([
    [0, false],
    [1, false],
    [3, false],
    [3, true],
  ]);
  expect(seen[0]).toMatchObject({ task: "Decoding images", total: 3, unit: "images" });
});
