import { describe, expect, it } from "vitest";
import { principalComponents } from "../../../src/model/features/projection";
import { createRandom } from "../../../src/runtime/random";
import { symmetricEigenvectors } from "../../../src/runtime/symmetric-eigenvectors";
import { tf } from "../../../src/runtime/tensorflow";

describe("symmetricEigenvectors", () => {
  it("finds known values and directions, the largest first", () => {
    const [first, second] = symmetricEigenvectors([
      [2, 1],
      [1, 2],
    ]);
    expect(first?.value).toBeCloseTo(3, 12);
    expect(second?.value).toBeCloseTo(1, 12);
    expect(Math.abs(first!.vector[0]!)).toBeCloseTo(Math.SQRT1_2, 12);
    expect(first!.vector[0]).toBeCloseTo(first!.vector[1]!, 12);
  });

  it("satisfies A v = λ v for a matrix of random numbers", () => {
    const random = createRandom(3);
    const half = Array.from({ length: 7 }, () => Array.from({ length: 7 }, () => random.normal()));
    const matrix = half.map((row, i) => row.map((value, j) => value + half[j]![i]!));
    for (const { value, vector } of symmetricEigenvectors(matrix)) {
      matrix.forEach((row, i) => {
        expect(row.reduce((sum, entry, j) => sum + entry * vector[j]!, 0)).toBeCloseTo(value * vector[i]!, 9);
      });
    }
  });

  it("accepts a matrix of zeros", () => {
    expect(
      symmetricEigenvectors([
        [0, 0],
        [0, 0],
      ]).map((pair) => pair.value),
    ).toEqual([0, 0]);
  });
});

describe("principalComponents", () => {
  it("finds the one direction in which points on a line differ", () => {
    const { scores, explained } = principalComponents(Float32Array.from([0, 0, 1, 2, 2, 4]), 2, 2);
    expect(explained[0]).toBeCloseTo(1, 6);
    expect(explained[1]).toBeCloseTo(0, 6);
    expect(Math.abs(scores[0]!)).toBeCloseTo(Math.sqrt(5), 5);
    expect(scores[2]).toBeCloseTo(0, 5);
  });

  it("gives the same signs for mirrored and unmirrored starts, and leaves no tensor behind", () => {
    const random = createRandom(11);
    const values = Float32Array.from({ length: 40 * 12 }, () => random.normal());
    const before = tf.memory().numTensors;
    const first = principalComponents(values, 12, 2);
    expect(tf.memory().numTensors).toBe(before);
    expect(principalComponents(values, 12, 2)).toEqual(first);
    for (const column of [0, 1]) {
      const scores = Array.from({ length: 40 }, (_, row) => first.scores[row * 2 + column]!);
      expect(Math.max(...scores)).toBeGreaterThanOrEqual(-Math.min(...scores));
    }
  });

  it("puts identical rows at the origin", () => {
    const { scores, explained } = principalComponents(new Float32Array(10).fill(4), 2, 2);
    expect([...scores].map(Math.abs)).toEqual(new Array(10).fill(0));
    expect(explained).toEqual([0, 0]);
  });

  it("refuses too few rows and rows that are not whole", () => {
    expect(() => principalComponents(new Float32Array(4), 4, 2)).toThrow(/1 rows of 4 values/);
    expect(() => principalComponents(new Float32Array(5), 4, 2)).toThrow(RangeError);
  });

  it("refuses rows that an interrupt left empty, and names the first", () => {
    const values = Float32Array.from({ length: 12 }, (_, i) => (i < 8 ? i * i : Number.NaN));
    expect(() => principalComponents(values, 4, 2)).toThrow(/Row 2 holds NaN/);
  });
});
