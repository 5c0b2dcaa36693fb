import { describe, expect, it } from "vitest";
import type { KeptTriage } from "../../../src/model/classifier/classifier";
import type { SourcePrediction } from "../../../src/model/classifier/predict-sources";
import { type Judging, judgeImages } from "../../../src/scores/triage/judged-images";

const triage: KeptTriage = {
  threshold: 0.3,
  level: "image",
  target: 0.9,
  chosenOn: "validation",
  description: "Chosen on validation.",
  temperature: 2,
};
const judging: Judging = { positiveClass: 1, threshold: 0.5, triage };

function image(file: string, patient: string | null, malignant: number): SourcePrediction {
  const probabilities = [1 - malignant, malignant];
  const predicted = malignant >= 0.5 ? 1 : 0;
  const rest = { width: 10, height: 10, distance: null, unlike: [] };
  return { file, path: `/${file}`, patient, probabilities, predicted, ...rest };
}

const images = [image("a", "1", 0.1), image("b", "1", 0.35), image("c", "2", 0.9), image("d", null, 0.2)];

describe("judgeImages", () => {
  it("sorts at the locked threshold, image by image", () => {
    const judged = judgeImages(images, judging);
    expect(judged.map(({ secondLook }) => secondLook)).toEqual([false, true, true, false]);
    expect(judged.map(({ listedAs }) => listedAs)).toEqual(["negative", "doubtful", "positive", "negative"]);
    expect(judged.map(({ rank }) => rank)).toEqual([4, 2, 1, 3]);
    expect(judged[0]?.ofPatient).toMatchObject({ images: 2, predicted: 0, secondLook: true });
    expect(judged[0]?.ofPatient?.probabilities[1]).toBeCloseTo(0.225, 12);
    expect(judged[3]?.ofPatient).toBeNull();
  });

  it("spares no image a second look that is unlike the training images, after those that are doubtful", () => {
    const unlike = [{ about: "stain" as const, text: "more eosin than in training" }];
    const judged = judgeImages([{ ...images[0]!, unlike }, ...images.slice(1)], judging);
    expect(judged.map(({ listedAs }) => listedAs)).toEqual(["unlike", "doubtful", "positive", "negative"]);
    expect(judged.map(({ secondLook }) => secondLook)).toEqual([true, true, true, false]);
    expect(judged.map(({ rank }) => rank)).toEqual([3, 2, 1, 4]);
  });

  it("compares a patient's mean where the threshold was chosen by patient", () => {
    const judged = judgeImages(images, { ...judging, triage: { ...triage, level: "patient" } });
    expect(judged.map(({ secondLook }) => secondLook)).toEqual([false, false, true, false]);
    expect(judged[1]?.ofPatient?.secondLook).toBe(false);
  });

  it("softens probabilities by the temperature, which leaves the decisions alone", () => {
    const [first] = judgeImages(images, judging);
    const odds = Math.sqrt(0.1 / 0.9);
    expect(first?.calibrated).toBeCloseTo(odds / (1 + odds), 12);
    const cold = judgeImages(images, { ...judging, triage: { ...triage, temperature: null } });
    expect(cold.map(({ calibrated }) => calibrated)).toEqual([null, null, null, null]);
  });

  it("decides nothing for triage where no threshold is locked, and still ranks", () => {
    const { triage: _, ...unlocked } = judging;
    const judged = judgeImages(images, unlocked);
    expect(judged.map(({ secondLook, listedAs }) => [secondLook, listedAs])).toEqual(
      images.map(() => [null, null]),
    );
    expect(judged.map(({ rank }) => rank)).toEqual([4, 2, 1, 3]);
    expect(judged[0]?.ofPatient?.secondLook).toBeNull();
  });

  it("begins with the least sure where no class is looked for", () => {
    const judged = judgeImages(images, { positiveClass: null, threshold: 0.5 });
    expect(judged.map(({ rank }) => rank)).toEqual([3, 1, 4, 2]);
  });

  it("tells two images of the same name apart", () => {
    const twins = [image("a", "1", 0.2), { ...image("a", "1", 0.8), path: "/other/a" }];
    expect(judgeImages(twins, judging).map(({ rank }) => rank)).toEqual([2, 1]);
  });
});
