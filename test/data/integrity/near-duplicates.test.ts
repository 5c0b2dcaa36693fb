import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { perceptualHash } from "../../../src/data/images/perceptual-hash";
import {
  differingBits,
  groupNearDuplicates,
  nearDuplicateBits,
} from "../../../src/data/integrity/near-duplicates";
import { drawImages } from "../../support/data/drawn-images";
import { runPython } from "../../support/python";

const hash = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map((bits) => bits.toString(16).padStart(16, "0"));

/** The bits in which two hashes differ, counted one by one. */
function countBits(one: string, other: string): number {
  const bits = (BigInt(`0x${one}`) ^ BigInt(`0x${other}`)).toString(2);
  return [...bits].filter((bit) => bit === "1").length;
}

/** A hash and others in which some of its bits are turned. */
const family = fc
  .tuple(hash, fc.array(fc.array(fc.nat(62), { maxLength: 9 }), { maxLength: 6 }))
  .map(([first, turns]) => [
    first,
    ...turns.map((bits) =>
      bits
        .reduce((value, bit) => value ^ (1n << BigInt(bit)), BigInt(`0x${first}`))
        .toString(16)
        .padStart(16, "0"),
    ),
  ]);

describe("groupNearDuplicates", () => {
  it("finds the same groups as comparing every pair", () => {
    fc.assert(
      fc.property(
        fc.array(family, { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 3 }),
        (families, gaps) => {
          const hashes: (string | null)[] = families.flat();
          for (const gap of gaps) hashes.splice(gap % (hashes.length + 1), 0, null);
          const group = hashes.map((_, index) => index);
          for (const [i, one] of hashes.entries()) {
            for (const [j, other] of hashes.entries()) {
              if (one === null || other === null || countBits(one, other) > nearDuplicateBits) continue;
              const [from, to] = [group[i]!, group[j]!];
              for (const index of group.keys()) if (group[index] === from) group[index] = to;
            }
          }
          const sets = new Map<number, number[]>();
          for (const [index, name] of group.entries()) sets.set(name, [...(sets.get(name) ?? []), index]);
          const expected = [...sets.values()].filter((set) => set.length > 1).sort((a, b) => a[0]! - b[0]!);
          expect(groupNearDuplicates(hashes)).toEqual(expected);
        },
      ),
    );
  });

  it("counts bits as they are", () => {
    fc.assert(
      fc.property(hash, hash, (one, other) => {
        expect(differingBits(one, other)).toBe(countBits(one, other));
      }),
    );
    expect(groupNearDuplicates([])).toEqual([]);
  });
});

describe("perceptualHash", () => {
  it("is that of scipy's discrete cosine transform", () => {
    const count = 5;
    const images = drawImages(count, 64);
    const program = `
import json, sys
import numpy as np
from scipy.fft import dctn
images = np.array(json.load(sys.stdin), np.float64).reshape(${count}, 64, 64, 3)
hashes = []
for image in images:
    grey = image @ [0.299, 0.587, 0.114]
    small = grey.reshape(32, 2, 32, 2).mean((1, 3))
    # Unnormalised on both axes: a factor of 4 that no comparison sees.
    low = dctn(small, type=2)[:8, :8].ravel()[1:]
    bits = "".join("1" if value > np.sort(low)[31] else "0" for value in low)
    hashes.append(format(int(bits, 2), "016x"))
print(json.dumps(hashes))
`;
    const expected = JSON.parse(runPython(program, [], JSON.stringify([...images])));
    const length = 64 * 64 * 3;
    const hashes = Array.from({ length: count }, (_, i) =>
      perceptualHash(images.subarray(i * length, (i + 1) * length)),
    );
    expect(hashes).toEqual(expected);
    expect(new Set(hashes).size).toBe(count);
  });

  it("is null for what is too plain", () => {
    expect(perceptualHash(new Uint8Array(64 * 64 * 3).fill(200))).toBeNull();
  });
});
