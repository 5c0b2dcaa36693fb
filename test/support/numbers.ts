import { readFileSync } from "node:fs";

/** Reads float32 values as numpy's `tofile` writes them. */
export function readFloats(path: string): Float32Array {
  const bytes = readFileSync(path);
  return new Float32Array(new Uint8Array(bytes).buffer);
}

/** The greatest absolute difference, relative to the greatest absolute value expected. */
export function relativeDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) {
    throw new RangeError(`Expected ${expected.length} values, found ${found.length}.`);
  }
  let difference = 0;
  let greatest = 0;
  for (let index = 0; index < expected.length; index++) {
    // A NaN in either must fail the test, and Math.max keeps it.
    difference = Math.max(difference, Math.abs(found[index]! - expected[index]!));
    greatest = Math.max(greatest, Math.abs(expected[index]!));
  }
  return difference / greatest;
}
