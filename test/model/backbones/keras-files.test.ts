import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import { beforeAll, describe, expect, it } from "vitest";
import { refuseLeftovers } from "../../../src/model/backbones/convolutions";
import { nameOfWeight } from "../../../src/model/backbones/keras-names";
import { readWeights } from "../../../src/model/backbones/weights";
import { widenBfloat16, widenFloat16 } from "../../../src/model/backbones/widened-floats";
import { hasKeras, runPython } from "../../support/python";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("keras-files");
const place = (name: string) => join(folder, name);

/** A small network by itself, in a Sequential one and in a functional one, each saved in Keras' three ways. */
const program = `
import os, sys, json
os.chdir(sys.argv[1])
import keras, numpy as np, h5py
from keras import layers as L
keras.utils.set_random_seed(1)
def base(name="resnet50"):
    i = L.Input((8, 8, 3)); x = L.Conv2D(4, 3, name="conv1_conv")(i); x = L.BatchNormalization(name="conv1_bn")(x)
    return keras.Model(i, L.Conv2D(4, 1, name="conv2_block1_1_conv")(x), name=name)
flat, inner = base(), base()
inner.set_weights(flat.get_weights())
nested = keras.Sequential([L.Input((8, 8, 3)), inner, L.GlobalAveragePooling2D(), L.BatchNormalization(), L.Dense(2)])
i = L.Input((8, 8, 3)); functional = keras.Model(i, L.Dense(2)(L.Flatten()(inner(i))))
for name, model in (("flat", flat), ("nested", nested), ("functional", functional)):
    model.save(f"{name}.h5"); model.save(f"{name}.keras"); model.save_weights(f"{name}.weights.h5")
twice = keras.Model(i, L.Add()([base("one")(i), base("other")(i)]))
twice.save_weights("twice.weights.h5")
with h5py.File("half.h5", "w") as file:
    values = np.array([0, -0.5, 2.875, 6.1e-5, 5.96e-8, 65504, np.inf])
    file.attrs["layer_names"] = [b"conv"]; group = file.create_group("conv"); names = []
    for name, kind in (("kernel", "<f2"), ("bias", ">f2"), ("gamma", ">f4")):
        names.append(f"conv/{name}:0".encode()); group.create_dataset(f"conv/{name}:0", data=values.astype(kind))
    group.attrs["weight_names"] = names
np.arange(6, dtype="<f4").tofile("raw.bin")
def odd(name, make):
    with h5py.File(name, "w") as file:
        file.attrs["layer_names"] = [b"conv"]; group = file.create_group("conv/conv"); file["conv"].attrs["weight_names"] = [b"conv/kernel"]
        make(group)
with h5py.File("other.h5", "w") as file: file["d"] = np.arange(6, dtype="f4")
layout = h5py.VirtualLayout(shape=(6,), dtype="f4"); layout[:] = h5py.VirtualSource("other.h5", "d", shape=(6,))
odd("external.h5", lambda group: group.create_dataset("kernel", shape=(6,), dtype="f4", external=[("raw.bin", 0, 24)]))
odd("virtual.h5", lambda group: group.create_virtual_dataset("kernel", layout))
def link(group): group["kernel"] = h5py.ExternalLink("other.h5", "d")
odd("linked.h5", link)
print(json.dumps(flat.get_layer("conv1_conv").get_weights()[0].ravel().tolist()))`;

/** ResNet50's stages and blocks by their old names. */
const stages: readonly (readonly [number, readonly string[]])[] = [
  [2, [..."abc"]],
  [3, [..."abcd"]],
  [4, [..."abcdef"]],
  [5, [..."abc"]],
];

const numbers = (values: Float32Array | undefined) => Array.from(values ?? []);

describe.skipIf(!hasKeras)("weights that Keras saved", () => {
  let kernel: number[];
  beforeAll(() => {
    kernel = JSON.parse(runPython(program, [folder]).trim().split("\n").pop()!);
  });

  it.each(["flat", "nested", "functional"])("%s: .h5, .weights.h5 and .keras hold the same", async (name) => {
    for (const ending of ["h5", "weights.h5", "keras"]) {
      const { tensors } = await readWeights(place(`${name}.${ending}`));
      expect(numbers(tensors.get("conv1_conv/kernel")?.values)).toEqual(kernel);
      expect(tensors.get("conv1_bn/moving_variance")?.shape).toEqual([4]);
      expect(tensors.get("conv2_block1_1_conv/kernel")?.shape).toEqual([1, 1, 4, 4]);
    }
  });

  it("of two networks in one file are refused, and so is an archive of something else", async () => {
    await expect(readWeights(place("twice.weights.h5"))).rejects.toThrow(
      /holds the weights "conv1_.*" twice/,
    );
    writeFileSync(place("photos.zip"), zipSync({ "a.txt": Buffer.from("text") }));
    await expect(readWeights(place("photos.zip"))).rejects.toThrow(/archive without model\.weights\.h5/);
    writeFileSync(place("cut.keras"), Buffer.from("PK\u0003\u0004 and no more"));
    await expect(readWeights(place("cut.keras"))).rejects.toThrow(/cut\.keras is a damaged archive/);
  });

  it("in half precision are read, in either order of bytes", async () => {
    const { tensors } = await readWeights(place("half.h5"));
    const expected = [0, -0.5, 2.875, 1023 * 2 ** -24, 2 ** -24, 65504, Number.POSITIVE_INFINITY];
    expect(numbers(tensors.get("conv/kernel")?.values)).toEqual(expected);
    expect(numbers(tensors.get("conv/bias")?.values)).toEqual(expected);
    expect(tensors.get("conv/gamma")?.values[2]).toBe(2.875);
    expect(numbers(widenFloat16(Uint16Array.of(0x3c00, 0xfc00)))).toEqual([1, Number.NEGATIVE_INFINITY]);
    expect(numbers(widenBfloat16(Uint16Array.of(0x3f80, 0xc040)))).toEqual([1, -3]);
  });

  it.each([
    ["external.h5", /draws in another file, .*raw\.bin/],
    ["virtual.h5", /draws in another file, .*other\.h5/],
    ["linked.h5", /draws in another file, .*other\.h5/],
  ])("that lie in another file are refused: %s", async (name, problem) => {
    await expect(readWeights(place(name))).rejects.toThrow(problem);
    // Others are read as before.
    expect((await readWeights(place("flat.h5"))).tensors.size).toBeGreaterThan(0);
  });
});

describe("nameOfWeight", () => {
  it("knows ResNet50's old names, all of them and each once", () => {
    const old = stages.flatMap(([stage, blocks]) =>
      blocks.flatMap((block) => {
        const branches = block === "a" ? ["1", "2a", "2b", "2c"] : ["2a", "2b", "2c"];
        return branches.map((branch) => `${stage}${block}_branch${branch}`);
      }),
    );
    const found = old.map((name) => nameOfWeight(`res${name}`, `res${name}/kernel:0`));
    expect(new Set(found).size).toBe(52);
    expect(found[0]).toBe("conv2_block1_0_conv/kernel");
    expect(found[found.length - 1]).toBe("conv5_block3_3_conv/kernel");
    expect(nameOfWeight("bn4f_branch2b", "bn4f_branch2b_running_std_1:0")).toBe(
      "conv4_block6_2_bn/moving_variance",
    );
    expect(nameOfWeight("bn_conv1", "bn_conv1/bn_conv1_gamma_1:0")).toBe("conv1_bn/gamma");
    expect(nameOfWeight("conv1", "conv1_W:0")).toBe("conv1_conv/kernel");
    expect(nameOfWeight("conv1", "conv1_b:0")).toBe("conv1_conv/bias");
    expect(nameOfWeight("dense", "sequential/dense/kernel")).toBe("dense/kernel");
  });
});

describe("refuseLeftovers", () => {
  const tensor = (shape: number[]) => ({ shape, values: new Float32Array() });
  const file = (tensors: Record<string, number[]>) => ({
    path: "some.h5",
    sha256: "",
    md5: "",
    tensors: new Map(Object.entries(tensors).map(([name, shape]) => [name, tensor(shape)])),
  });

  it("names what a larger network has besides, and lets a classifier be", () => {
    const taken = [{ name: "conv1_conv" }];
    const own = {
      "conv1_conv/kernel": [7, 7, 3, 64],
      "predictions/kernel": [2048, 1000],
      "norm/gamma": [2048],
    };
    expect(() => refuseLeftovers(file(own), taken)).not.toThrow();
    const larger = { ...own, "conv4_block7_1_conv/kernel": [1, 1, 1024, 256] };
    expect(() => refuseLeftovers(file(larger), taken)).toThrow(
      /1 convolution that this network has not, the first "conv4_block7_1_conv\/kernel".*another network/,
    );
  });
});
