import { describe, expect, it } from "vitest";
import type { JudgedImage } from "../../../src/scores/triage/judged-images";
import { compareWithTruth } from "../../../src/scores/triage/judged-truth";

function judged(truth: string | undefined, malignant: number, patient: string): JudgedImage {
  return {
    file: `${patient}.png`,
    path: `/${patient}-${malignant}.png`,
    patient,
    ...(truth === undefined ? {} : { truth }),
    width: 1,
    height: 1,
    probabilities: [1 - malignant, malignant],
    predicted: malignant >= 0.5 ? 1 : 0,
    distance: null,
    unlike: [],
    rank: 1,
    calibrated: null,
    secondLook: null,
    listedAs: null,
    ofPatient: null,
  };
}

const rule = { classes: ["benign", "malignant"], positiveClass: 1, threshold: 0.5 };

describe("compareWithTruth", () => {
  it("scores the images of which a labels file says something that the classifier knows", () => {
    const images = [
      judged("B", 0.25, "1"),
      judged("malignant", 0.75, "2"),
      judged("ductal carcinoma", 0.25, "3"),
      judged("Normal", 0.25, "4"),
      judged("Normal", 0.75, "4"),
      judged(undefined, 0.75, "5"),
    ];
    const { scores, tumour, unknown } = compareWithTruth(images, rule);
    expect(scores!.image.count).toBe(3);
    expect(scores!.image.scores.accuracy.value).toBeCloseTo(2 / 3, 12);
    expect(scores!.image.scores.sensitivity.value).toBe(0.5);
    expect(scores!.patient!.count).toBe(3);
    expect(tumour).toBeNull();
    expect(unknown).toEqual([{ className: "Normal", images: 2 }]);
  });

  it("scores nothing where nothing is known, and what follows from subtypes where they are the classes", () => {
    expect(compareWithTruth([judged("x", 0.5, "1")], rule).scores).toBeNull();
    const subtypes = { classes: ["fibroadenoma", "ductal carcinoma"], positiveClass: null, threshold: 0.5 };
    const { scores, tumour } = compareWithTruth([judged("F", 0.25, "1"), judged("DC", 0.25, "2")], subtypes);
    expect(scores!.image.scores.accuracy.value).toBe(0.5);
    expect(tumour!.image.scores.sensitivity.value).toBe(0);
  });
});
