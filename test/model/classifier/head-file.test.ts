import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildHead } from "../../../src/model/classifier/head";
import { checkHeadFits, decodeHead, encodeHead, headShapes } from "../../../src/model/classifier/head-file";
import { runPython } from "../../support/python";
import { temporaryFolder } from "../../support/temporary-folder";

const head = buildHead({ inputs: 7, hiddenUnits: [5, 3], classCount: 2, seed: 1 });

describe("a saved head", () => {
  it("comes back bit for bit", () => {
    expect(decodeHead(encodeHead(head), headShapes(head), "here")).toEqual(head);
  });

  it("is a safetensors file that other programs read", () => {
    const path = join(temporaryFolder("head"), "head.safetensors");
    writeFileSync(path, encodeHead(head));
    const program = `
import json, sys
import numpy as np
raw = open(sys.argv[1], "rb").read()
size = int.from_bytes(raw[:8], "little")
assert size % 8 == 0
values = {}
for name, entry in json.loads(raw[8:8 + size]).items():
    start, end = (8 + size + offset for offset in entry["data_offsets"])
    values[name] = np.frombuffer(raw[start:end], dtype="<f4").reshape(entry["shape"]).tolist()
print(json.dumps(values))`;
    const values = JSON.parse(runPython(program, [path])) as Record<string, number[] | number[][]>;
    expect(Object.keys(values)).toHaveLength(6);
    head.layers.forEach((layer, i) => {
      expect(values[`layers.${i}.kernel`]).toHaveLength(layer.inputs);
      expect(values[`layers.${i}.kernel`]?.flat()).toEqual(Array.from(layer.kernel));
      expect(values[`layers.${i}.bias`]).toEqual(Array.from(layer.bias));
    });
  });

  it("is refused if it is cut short or has other layers", () => {
    const bytes = encodeHead(head);
    expect(() => decodeHead(bytes.subarray(0, bytes.length - 4), headShapes(head), "here")).toThrow(/here/);
    const others = headShapes(buildHead({ inputs: 7, hiddenUnits: [4, 3], classCount: 2, seed: 1 }));
    expect(() => decodeHead(bytes, others, "here")).toThrow(/layers\.0\.kernel.*\[7, 4\].*\[7, 5\]/);
  });

  it("must fit its features and classes", () => {
    expect(() => checkHeadFits(head, 7, 2)).not.toThrow();
    expect(() => checkHeadFits(head, 8, 2)).toThrow(/takes 7 features.*gives 8/);
    expect(() => checkHeadFits(head, 7, 3)).toThrow(/tells 2 classes.*there are 3/);
  });
});
