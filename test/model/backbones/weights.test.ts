import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { takeBatchNorm, takeWeight, type WeightsFile } from "../../../src/model/backbones/weight-tensors";
import { readWeights } from "../../../src/model/backbones/weights";
import { writeSmallHdf5 } from "../../support/model/small-hdf5";
import { runPython } from "../../support/python";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("weights");
const hdf5 = join(folder, "small.h5");

beforeAll(() => {
  writeSmallHdf5(hdf5, {
    conv1_conv: {
      kernel: [
        "f4",
        [
          [1, 2, 3],
          [4, 5, 6.5],
        ],
      ],
      bias: ["f8", [0.5, -1]],
    },
    input_layer: {},
    whole: { numbers: ["i4", [1, 2]] },
  });
});

function fileOf(tensors: Record<string, [shape: number[], values: number[]]>): WeightsFile {
  const entries = Object.entries(tensors).map(
    ([name, [shape, values]]) => [name, { shape, values: Float32Array.from(values) }] as const,
  );
  return { path: "some.h5", sha256: "", md5: "", tensors: new Map(entries) };
}

/** A safetensors file from a header and as many bytes of data. */
function safetensors(header: object, data: Uint8Array): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

describe("readWeights", () => {
  it("refuses HDF5 whose weights are no floating-point numbers, naming them", async () => {
    await expect(readWeights(hdf5)).rejects.toThrow(
      /small\.h5: the weights "\/whole\/whole\/numbers:0" should be/,
    );
  });

  it("reads float32 and float64, and the file's checksums", async () => {
    const path = join(folder, "floats.h5");
    writeSmallHdf5(path, {
      a: {
        kernel: [
          "f4",
          [
            [1, 2, 3],
            [4, 5, 6.5],
          ],
        ],
        bias: ["f8", [0.5, -1]],
      },
    });
    const file = await readWeights(path);
    expect(file.tensors.get("a/kernel")).toEqual({
      shape: [2, 3],
      values: Float32Array.of(1, 2, 3, 4, 5, 6.5),
    });
    expect(file.tensors.get("a/bias")).toEqual({ shape: [2], values: Float32Array.of(0.5, -1) });
    const hashes = "import hashlib, sys; b = open(sys.argv[1], 'rb').read()\n";
    const print = "print(hashlib.sha256(b).hexdigest(), hashlib.md5(b).hexdigest())";
    expect(`${file.sha256} ${file.md5}`).toBe(runPython(hashes + print, [path]).trim());
  });

  it("says what a file is that holds no weights", async () => {
    const text = join(folder, "page.h5");
    writeFileSync(text, "<html>Not found</html>");
    await expect(readWeights(text)).rejects.toThrow(
      /page\.h5 is neither an HDF5 file nor a safetensors file/,
    );
    writeFileSync(text, "");
    await expect(readWeights(text)).rejects.toThrow(/neither/);
    await expect(readWeights(join(folder, "none.h5"))).rejects.toThrow(/no file of weights at .*none\.h5/);
    await expect(readWeights(folder)).rejects.toThrow(/can't be read/);
    const foreign = join(folder, "foreign.h5");
    runPython("import h5py, sys; h5py.File(sys.argv[1], 'w').create_group('slides')", [foreign]);
    await expect(readWeights(foreign)).rejects.toThrow(/not one of Keras weights: found slides/);
  });

  it("says that a cut HDF5 file is damaged", async () => {
    const cut = join(folder, "cut.h5");
    const bytes = readFileSync(hdf5);
    writeFileSync(cut, bytes.subarray(0, bytes.length / 2));
    await expect(readWeights(cut)).rejects.toThrow(/cut\.h5 is a damaged HDF5 file/);
  });

  it("reads safetensors, and refuses damaged ones and other types", async () => {
    const path = join(folder, "some.safetensors");
    const data = new Uint8Array(Float32Array.of(1.5, -2, 3).buffer);
    const header = {
      __metadata__: { license: "none" },
      b: { dtype: "F32", shape: [2, 1], data_offsets: [4, 12] },
      a: { dtype: "F32", shape: [], data_offsets: [0, 4] },
    };
    const whole = safetensors(header, data);
    writeFileSync(path, whole);
    const { tensors } = await readWeights(path);
    expect(Object.fromEntries(tensors)).toEqual({
      a: { shape: [], values: Float32Array.of(1.5) },
      b: { shape: [2, 1], values: Float32Array.of(-2, 3) },
    });
    writeFileSync(path, whole.subarray(0, -1));
    await expect(readWeights(path)).rejects.toThrow(/"b" reach beyond the file/);
    writeFileSync(path, whole.subarray(0, 40));
    await expect(readWeights(path)).rejects.toThrow(/not a safetensors file, or it is cut short/);
    writeFileSync(path, safetensors({ a: { dtype: "I8", shape: [4], data_offsets: [0, 4] } }, data));
    await expect(readWeights(path)).rejects.toThrow(/"a" should be of type F32, F16 or BF16, found .*I8/);
  });
});

describe("takeWeight and takeBatchNorm", () => {
  it("give values of the right name and shape, and name what is wrong", () => {
    const file = fileOf({
      "a/kernel": [
        [1, 2],
        [3, 4],
      ],
      "b/kernel": [[2], [1, Number.NaN]],
    });
    expect(takeWeight(file, "a/kernel", [1, 2])).toEqual(Float32Array.of(3, 4));
    expect(() => takeWeight(file, "c/kernel", [2])).toThrow(
      /some\.h5 has no weights "c\/kernel" \[2\].*"a\/kernel"/,
    );
    expect(() => takeWeight(file, "a/kernel", [2, 1])).toThrow(
      /"a\/kernel" should have the shape \[2, 1\], found \[1, 2\]/,
    );
    expect(() => takeWeight(file, "b/kernel", [2])).toThrow(/"b\/kernel" hold NaN at position 1/);
  });

  it("refuse a negative variance", () => {
    const vector: [number[], number[]] = [[1], [1]];
    const file = fileOf({
      "n/gamma": vector,
      "n/beta": vector,
      "n/moving_mean": vector,
      "n/moving_variance": [[1], [-1]],
    });
    expect(() => takeBatchNorm(file, "n", 1, 1e-3)).toThrow(/"n\/moving_variance" holds -1 at position 0/);
  });
});
