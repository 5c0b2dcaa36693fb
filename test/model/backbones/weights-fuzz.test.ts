import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeSafetensors } from "../../../src/model/backbones/safetensors";
import type { WeightTensor } from "../../../src/model/backbones/weight-tensors";
import { readWeights } from "../../../src/model/backbones/weights";
import { writeSmallHdf5 } from "../../support/model/small-hdf5";
import { runPython } from "../../support/python";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("weights-fuzz");
const broken = join(folder, "broken.h5");
let whole: Buffer;

beforeAll(() => {
  const path = join(folder, "whole.h5");
  writeSmallHdf5(path, {
    conv1_conv: {
      kernel: [
        "f4",
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ],
      bias: ["f8", [0.5, -1]],
    },
    dense: { kernel: ["f4", [1, 2, 3, 4]] },
  });
  whole = readFileSync(path);
});

/** Where and how bytes are damaged; places are shares of the file's length. */
const damages = fc.array(
  fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.integer({ min: 0, max: 255 })),
  { minLength: 1, maxLength: 6 },
);

function damage(bytes: Buffer, changes: readonly (readonly [number, number])[], length: number): Buffer {
  const copy = Buffer.from(bytes.subarray(0, Math.ceil(length * bytes.length)));
  for (const [place, value] of changes) if (copy.length > 0) copy[Math.floor(place * copy.length)] = value;
  return copy;
}

const length = fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true }));

function expectSound(tensors: Map<string, WeightTensor>): void {
  for (const { shape, values } of tensors.values()) {
    expect(values).toBeInstanceOf(Float32Array);
    expect(values.length).toBe(shape.reduce((product, size) => product * size, 1));
  }
}

describe("a damaged HDF5 file", () => {
  it("gives weights of the announced shapes or an error that names file and tensor, never a crash", async () => {
    await fc.assert(
      fc.asyncProperty(damages, length, async (changes, share) => {
        writeFileSync(broken, damage(whole, changes, share));
        let tensors: Map<string, WeightTensor>;
        try {
          ({ tensors } = await readWeights(broken));
        } catch (error) {
          const { message } = error as Error;
          expect(message.startsWith(broken)).toBe(true);
          expect(message).toMatch(
            /: the weights ".+" |: ".+" is announced|: the layer ".*" is announced|is a damaged HDF5|not one of Keras|neither an HDF5/,
          );
          return;
        }
        expectSound(tensors);
      }),
      { numRuns: 400 },
    );
  });

  it("that announces more numbers than it can hold is refused before room is made for them", async () => {
    const program = `
import sys, h5py, numpy as np
with h5py.File(sys.argv[1], "w") as file:
    file.attrs["layer_names"] = np.array(["conv"], "S")
    group = file.create_group("conv")
    group.attrs["weight_names"] = np.array(["conv/kernel:0"], "S")
    group.create_dataset("conv/kernel:0", shape=(1 << 12, 1 << 12), dtype="f4", chunks=(1024, 1024), compression="gzip")
`;
    runPython(program, [broken]);
    await expect(readWeights(broken)).rejects.toThrow(
      /broken\.h5: the weights "\/conv\/conv\/kernel:0" can't be read \(it announces the shape \[4096, 4096\]/,
    );
  });

  it("that announces the same numbers again and again is refused too", async () => {
    const program = `
import sys, h5py, numpy as np
with h5py.File(sys.argv[1], "w") as file:
    file.attrs["layer_names"] = np.array([f"conv{i}" for i in range(200)], "S")
    numbers = file.create_dataset("numbers", data=np.zeros(1 << 18, "f4"), compression="gzip", chunks=(1 << 16,))
    for i in range(200):
        group = file.create_group(f"conv{i}")
        group.attrs["weight_names"] = np.array(["kernel:0"], "S")
        group["kernel:0"] = numbers
`;
    runPython(program, [broken]);
    await expect(readWeights(broken)).rejects.toThrow(/more numbers than the file can hold/);
  });
});

/** A safetensors file from a header's text and data. */
function safetensors(header: string, data: Uint8Array): Buffer {
  const text = Buffer.from(header);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text, data]);
}

const data = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
const entry = (changes: object = {}) => ({ dtype: "F32", shape: [3], data_offsets: [0, 12], ...changes });

describe("a damaged safetensors file", () => {
  it("gives weights of the announced shapes or an error that names file and tensor, never a crash", () => {
    const header = JSON.stringify({
      a: entry({ shape: [2], data_offsets: [0, 8] }),
      b: entry({ shape: [1], data_offsets: [8, 12] }),
    });
    const intact = safetensors(header, data);
    fc.assert(
      fc.property(damages, length, (changes, share) => {
        try {
          expectSound(decodeSafetensors(damage(intact, changes, share), "x.safetensors"));
        } catch (error) {
          expect((error as Error).message).toMatch(
            /^x\.safetensors(: the weights "| is not a safetensors file)/,
          );
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("with any JSON as header gives the same", () => {
    const strange = fc.oneof(
      fc.jsonValue(),
      fc.record({ a: fc.jsonValue() }),
      fc.record({
        a: fc.record({
          dtype: fc.constantFrom("F32", "F16"),
          shape: fc.array(fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constant(2 ** 40)), {
            maxLength: 3,
          }),
          data_offsets: fc.array(fc.oneof(fc.integer(), fc.double(), fc.constant(12)), { maxLength: 3 }),
        }),
      }),
    );
    fc.assert(
      fc.property(strange, (header) => {
        try {
          expectSound(decodeSafetensors(safetensors(JSON.stringify(header), data), "x"));
        } catch (error) {
          expect((error as Error).message).toMatch(/^x(: the weights "| is not a safetensors file)/);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["two negative sizes", { a: entry({ shape: [-1, -3] }) }, /"a" should have type, shape and place/],
    ["sizes that are text", { a: entry({ shape: ["3"] }) }, /"a" should have type, shape and place/],
    [
      "more numbers than there are",
      { a: entry({ shape: [2 ** 40], data_offsets: [0, 2 ** 42] }) },
      /"a" reach beyond/,
    ],
    ["an end before the start", { a: entry({ data_offsets: [12, 0] }) }, /"a" reach beyond/],
    ["tensors in one place", { a: entry(), b: entry() }, /"b" overlap others/],
    ["null", null, /is not a safetensors file/],
    ["a list", [1], /is not a safetensors file/],
  ])("with %s is refused", (_, header, message) => {
    expect(() => decodeSafetensors(safetensors(JSON.stringify(header), data), "x")).toThrow(message);
  });

  it("with a header longer than any file is refused", () => {
    const bytes = safetensors("{}", data);
    bytes.writeBigUInt64LE(2n ** 64n - 1n);
    expect(() => decodeSafetensors(bytes, "x")).toThrow("x is not a safetensors file");
  });
});
