import { describe, expect, it } from "vitest";
import { type Judging, judgeImages } from "../../../src/scores/triage/judged-images";
import { firstOfWork } from "../../../src/views/report/prediction-page";

const asked = (path: string, positive: number) => ({
  path,
  file: path,
  patient: null,
  probabilities: [1 - positive, positive],
  predicted: positive >= 0.5 ? 1 : 0,
  width: 8,
  height: 8,
  distance: null,
  unlike: [],
});

describe("firstOfWork", () => {
  const images = Array.from({ length: 30 }, (_, i) => asked(`${i}.png`, (i + 0.5) / 30));
  const decided: Judging = { positiveClass: 1, threshold: 0.5 };

  it("never cuts above the last image that needs a second look", () => {
    const triage = { threshold: 0.3, level: "image" as const, target: 0.95, chosenOn: "validation" };
    const judged = judgeImages(images, {
      ...decided,
      triage: { ...triage, description: "", temperature: null },
    });
    const looks = judged.filter(({ secondLook }) => secondLook === true).length;
    expect(looks).toBe(21);
    expect(firstOfWork(judged, 5, 1)).toHaveLength(looks);
    expect(firstOfWork(judged, 5, 1).every(({ secondLook }) => secondLook === true)).toBe(true);
    expect(firstOfWork(judged, 25, 1)).toHaveLength(25);
  });

  it("keeps what the classifier calls positive where no threshold is locked", () => {
    const judged = judgeImages(images, decided);
    expect(firstOfWork(judged, 5, 1)).toHaveLength(15);
    expect(firstOfWork(judged, 5, null)).toHaveLength(5);
  });

  it("asks for a second look at all that is called positive, wherever the threshold was locked", () => {
    const triage = { threshold: 0.893, level: "image" as const, target: 0.95, chosenOn: "validation" };
    const judged = judgeImages(images, {
      ...decided,
      triage: { ...triage, description: "", temperature: null },
    });
    for (const { predicted, secondLook } of judged) expect(secondLook).toBe(predicted === 1);
  });
});
