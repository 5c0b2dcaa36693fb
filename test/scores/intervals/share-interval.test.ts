import { describe, expect, it } from "vitest";
import { createRandom } from "../../../src/runtime/random";
import * as beta from "../../../src/scores/intervals/beta-distribution";
import { exactInterval } from "../../../src/scores/intervals/exact-interval";
import { scoreWithIntervals } from "../../../src/scores/intervals/score-intervals";
import { shareInterval } from "../../../src/scores/intervals/share-interval";
import { docstringExamples, evaluateExample } from "../../support/docstring-examples";
import { clusteredPredictions } from "../../support/runs/example-cohort";
import { examplePrediction } from "../../support/runs/example-run";

interface Answer {
  patient: string | null;
  file: string;
  label: number;
  right: boolean;
}

const share = (items: readonly Answer[], options = {}) =>
  shareInterval(
    [items],
    () => true,
    ({ right }) => (right ? 1 : 0),
    options,
  );

/** Patients with so many right answers of so many images. */
const patients = (...counts: [right: number, images: number][]): Answer[] =>
  counts.flatMap(([right, images], patient) =>
    Array.from({ length: images }, (_, i) => ({
      patient: `${patient}`,
      file: `${patient} ${i}`,
      label: 1,
      right: i < right,
    })),
  );

it.each(docstringExamples("src/scores/intervals/beta-distribution.ts"))(
  "$code gives $expected",
  (example) => {
    expect(evaluateExample(example.code, beta)).toBeCloseTo(Number(example.expected), 14);
  },
);

describe("shareInterval", () => {
  it("is Clopper and Pearson's where each patient has one answer, as patients are independent", () => {
    const { low, high, value } = share(patients([1, 1], [1, 1], [0, 1], [1, 1], [0, 1]));
    const exact = exactInterval(3, 5);
    expect(value).toBeCloseTo(0.6, 12);
    expect(low).toBeCloseTo(exact.low, 12);
    expect(high).toBeCloseTo(exact.high, 12);
  });

  it("knows no more from thirty images of each of three patients than the patients can tell, if all are right", () => {
    const all = share(patients([30, 30], [30, 30], [30, 30]));
    expect(all).toMatchObject({ value: 1, high: 1, patients: 3 });
    expect(all.low).toBeCloseTo(0.025 ** (1 / 3), 9);
    // Kish: of patients with unlike numbers of images, the many images of one weigh more.
    const uneven = share(patients([80, 80], [5, 5], [5, 5]));
    expect(uneven.low).toBeLessThan(all.low!);
  });

  it("is never without width, and is wider the more alike a patient's images are", () => {
    const alike = share(patients([10, 10], [10, 10], [10, 10], [0, 10], [10, 10], [10, 10]));
    const mixed = share(patients([8, 10], [9, 10], [8, 10], [8, 10], [9, 10], [8, 10]));
    expect(alike.value).toBeCloseTo(mixed.value!, 12);
    expect(alike.high! - alike.low!).toBeGreaterThan(1.3 * (mixed.high! - mixed.low!));
    const none = share(patients([0, 10], [0, 10]));
    expect(none.low).toBe(0);
    expect(none.high).toBeGreaterThan(0.8);
    expect(share(patients([9, 10])).high! - share(patients([9, 10])).low!).toBeGreaterThan(0.9);
  });

  it("takes repeats for repeats, and seeds for a sample where they are one", () => {
    const once = patients([8, 10], [9, 10], [3, 10], [10, 10]);
    const other = patients([10, 10], [9, 10], [9, 10], [10, 10]);
    const of = (groups: Answer[][], options = {}) =>
      shareInterval(
        groups,
        () => true,
        ({ right }) => (right ? 1 : 0),
        options,
      );
    const [one, thrice] = [of([once]), of([once, once, once])];
    for (const end of ["value", "low", "high"] as const) expect(thrice[end]).toBeCloseTo(one[end]!, 12);
    const [fixed, sampled] = [of([once, other]), of([once, other], { resampleGroups: true })];
    expect(sampled.high! - sampled.low!).toBeGreaterThan(fixed.high! - fixed.low!);
    expect(of([[], []])).toMatchObject({ value: null, low: null, high: null });
  });

  it("holds the true share about as often as it says, where images of a patient resemble each other", () => {
    // Beta-binomial with mean 0.8 and a likeness of 0.4: a patient's share is that of a Beta(1.2, 0.3).
    const random = createRandom(7);
    const gamma = (shape: number): number => {
      // Ahrens and Dieter's rejection for shapes below 1; one exponential more for those above.
      if (shape >= 1) return gamma(shape - 1) - Math.log(1 - random.next());
      for (;;) {
        const [u, v] = [random.next(), random.next()];
        const b = (Math.E + shape) / Math.E;
        if (b * u <= 1) {
          const x = (b * u) ** (1 / shape);
          if (v <= Math.exp(-x)) return x;
        } else {
          const x = -Math.log((b - b * u) / shape);
          if (v <= x ** (shape - 1)) return x;
        }
      }
    };
    const cohort = (count: number) =>
      patients(
        ...Array.from({ length: count }, (): [number, number] => {
          const [a, b] = [gamma(1.2), gamma(0.3)];
          const images = [5, 10, 20, 40][random.integer(4)]!;
          const right = Array.from({ length: images }, () => random.next() < a / (a + b));
          return [right.filter(Boolean).length, images];
        }),
      );
    for (const count of [4, 12, 30]) {
      const held = Array.from({ length: 400 }, () => {
        const { low, high } = share(cohort(count));
        return low! <= 0.8 && 0.8 <= high!;
      });
      expect(held.filter(Boolean).length / 400, `${count} patients`).toBeGreaterThan(0.92);
    }
  });
});

describe("scores with intervals", () => {
  const rule = { positiveClass: 1, threshold: 0.5 };

  it("of a faultless test of a few patients have width, or say that there is no interval", () => {
    const predictions = [1, 2, 3, 4, 5, 6].flatMap((patient) =>
      [1, 2, 3].map((image) =>
        examplePrediction(`${patient}`, patient % 2, patient % 2 === 1 ? 0.9 : 0.1, {
          file: `${patient} ${image}`,
        }),
      ),
    );
    const { image, patient } = scoreWithIntervals(predictions, rule);
    const threeOfThree = 0.025 ** (1 / 3);
    for (const { scores } of [image, patient!]) {
      expect(scores.sensitivity.low).toBeCloseTo(threeOfThree, 9);
      expect(scores.specificity.low).toBeCloseTo(threeOfThree, 9);
      expect(scores.auc).toMatchObject({ value: 1, high: 1 });
      expect(scores.auc.low).toBeCloseTo(threeOfThree, 9);
      expect(scores.accuracy.low).toBeCloseTo(0.025 ** (1 / 6), 9);
      // The mean of two shares: half the root of their squared distances.
      expect(scores.balancedAccuracy.low).toBeCloseTo(1 - (1 - threeOfThree) / Math.SQRT2, 9);
      expect(scores.matthewsCorrelation).toMatchObject({ value: 1, low: null, high: null });
      for (const { low, high } of Object.values(scores)) expect(low === null || low < high!).toBe(true);
    }
    expect(patient!.patientRecognitionRate.low).toBeCloseTo(0.025 ** (1 / 6), 9);
  });

  it("lie within their ends", () => {
    const { image, patient } = scoreWithIntervals(clusteredPredictions(20, 6, 3), rule, { resamples: 300 });
    for (const { scores } of [image, patient!]) {
      for (const [name, { value, low, high }] of Object.entries(scores)) {
        expect(low! <= value! && value! <= high!, name).toBe(true);
      }
    }
  });
});

describe("what the labels are about", () => {
  const rule = { positiveClass: 1, threshold: 0.5 };
  const patch = (patient: string, label: number, i: number) =>
    examplePrediction(patient, label, label === 1 ? 0.8 : 0.2, { file: `${patient} ${i}` });

  it("gives patients no class where every patient has the disease and labels are about patches", () => {
    const patches = ["a", "b", "c"].flatMap((patient) =>
      [0, 0, 0, 1].map((label, i) => patch(patient, label, i)),
    );
    const { patient, patientClass, image } = scoreWithIntervals(patches, rule, { resamples: 200 });
    expect(patient).toBeNull();
    expect(patientClass).toMatch(/^Labels are about images here/);
    expect(image.scores.sensitivity.value).toBe(1);
  });

  it("does not mistake one wrong label for that", () => {
    const images = ["a", "b", "c"].flatMap((patient) =>
      [1, 1, 1].map((label, i) => patch(patient, label, i)),
    );
    const one = [...images, patch("c", 0, 9), patch("d", 0, 1)];
    const { patient, patientClass } = scoreWithIntervals(one, rule, { resamples: 200 });
    expect(patient!.count).toBe(4);
    expect(patientClass).toMatch(/^Labels are about patients here/);
  });
});
