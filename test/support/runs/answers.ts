import { expect } from "vitest";

/** A result as Python prints it in JSON: numbers, "nan", "inf", lists of them, or "refused". */
export type Answer = number | string | Answer[];

function plain(value: number | number[] | number[][]): Answer {
  if (Array.isArray(value)) return value.map((item) => plain(item));
  if (Number.isNaN(value)) return "nan";
  return value === Number.POSITIVE_INFINITY ? "inf" : value;
}

/** Computes something, or says "refused" where it throws a RangeError. */
export function attempt(compute: () => number | number[] | number[][]): Answer {
  try {
    return plain(compute());
  } catch (error) {
    if (error instanceof RangeError) return "refused";
    throw error;
  }
}

/** Equal within 1e-12, NaN equal to NaN, refusals equal to refusals. */
export function expectSame(ours: Answer, theirs: Answer, what: string): void {
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    expect(ours.length, what).toBe(theirs.length);
    ours.forEach((item, i) => {
      expectSame(item, theirs[i]!, `${what}[${i}]`);
    });
  } else if (typeof ours === "number" && typeof theirs === "number") {
    expect(Math.abs(ours - theirs), `${what}: ${ours} here, ${theirs} there`).toBeLessThanOrEqual(1e-12);
  } else {
    expect(ours, what).toBe(theirs);
  }
}
