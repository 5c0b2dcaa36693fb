import { describe, expect, it } from "vitest";
import { createRandom } from "../../../src/runtime/random";
import { delongTest } from "../../../src/scores/compare-runs";
import { compareKeptRuns, compareLoadedRuns } from "../../../src/views/runs/run-comparison";
import { examplePrediction } from "../../support/runs/example-run";
import { exampleSummary } from "../../support/runs/example-summary";

/** Twenty patients of four images each; the larger the skill, the further apart the two classes. */
function run(id: string, skill: number, seed = 1, patients = 20) {
  const random = createRandom(seed);
  const predictions = Array.from({ length: patients * 4 }, (_, i) => {
    const label = Math.floor(i / 4) % 2;
    const probability = Math.min(0.99, Math.max(0.01, 0.5 + skill * (label - 0.5) + 0.2 * random.normal()));
    const patient = `patient ${Math.floor(i / 4)}`;
    return examplePrediction(patient, label, probability, { split: "validation", file: `${i}.png` });
  });
  return { id, predictions, summary: exampleSummary({ id }) };
}

describe("compareLoadedRuns", () => {
  it("says which of two runs is better, by image and by patient", async () => {
    const [poor, good] = [run("poor", 0.1), run("good", 0.6, 2)];
    const { sentence, table } = await compareLoadedRuns(poor, good);
    expect(sentence).toMatch(/^The second run's AUC is higher by 0\.\d{3} \(95 % interval /);
    const means = (predictions: typeof poor.predictions) =>
      Array.from({ length: 20 }, (_, patient) => {
        const own = predictions.slice(4 * patient, 4 * patient + 4);
        return own.reduce((sum, { probabilities }) => sum + probabilities[1]!, 0) / 4;
      });
    const positive = Array.from({ length: 20 }, (_, patient) => patient % 2 === 1);
    const tested = delongTest(positive, means(poor.predictions), means(good.predictions));
    expect(sentence).toContain(
      `By patient the AUC is ${tested.firstAuc.toFixed(3)} and ${tested.secondAuc.toFixed(3)}; DeLong's test for the difference of the two gives p = ${tested.pValue.toFixed(2)}.`,
    );
    expect(table.caption).toBe("Second run good, first run poor: 80 validation images, 95 % intervals");
    const accuracy = table.values.find(([score]) => score === "accuracy")!;
    expect(accuracy.slice(1)).toEqual(Array(3).fill(expect.stringMatching(/^[+−]0\.\d{3}$/)));
  });

  it("finds no difference between a run and itself, and leaves out what only one of them has", async () => {
    const whole = run("whole", 0.4);
    const part = { ...whole, predictions: whole.predictions.slice(0, 60) };
    const { sentence, table } = await compareLoadedRuns(whole, part);
    expect(sentence).toMatch(/^No difference in AUC could be shown/);
    expect(sentence).toContain("p = 1.00.");
    expect(sentence).toContain(" 20 images that only one of them has there are left out.");
    expect(table.values.every(([, value]) => value === "+0.000")).toBe(true);
  });

  it("asks for a second run where there is one", async () => {
    await expect(compareKeptRuns(undefined, "only")).rejects.toThrow(
      /^It takes two finished runs to compare/,
    );
  });

  it("says nothing by patient where there are too few of them, and refuses runs without common images", async () => {
    const few = run("few", 0.4, 1, 2);
    const { sentence } = await compareLoadedRuns(few, few);
    expect(sentence).not.toContain("DeLong");
    expect(sentence).toContain("With so few patients the intervals are too narrow");
    const enough = run("enough", 0.4);
    expect((await compareLoadedRuns(enough, enough)).sentence).not.toContain("so few patients");
    await expect(compareLoadedRuns(few, few, "test")).rejects.toThrow(
      /few and few have no test image in common: compare runs of one data set and split/,
    );
  });
});
