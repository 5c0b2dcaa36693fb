import { describe, expect, it } from "vitest";
import { openDataset } from "../../src/data/dataset";
import { takePatients } from "../../src/data/split/patient-subset";
import { splitByPatient } from "../../src/data/split/split";
import { scratchArm } from "../../src/experiments/scratch-arm";
import { loadBackbone } from "../../src/model/backbones/backbone";
import { requestStop } from "../../src/runtime/interruption";
import { countNativeValues } from "../../src/runtime/native/native-backend";
import { completeSettings } from "../../src/runtime/settings";
import { tf } from "../../src/runtime/tensorflow";
import { drawPatients } from "../support/data/small-patients";
import { temporaryFolder } from "../support/temporary-folder";

const folder = temporaryFolder("scratch-arm");
const settings = completeSettings({ hiddenUnits: [8], inputSize: 32, seed: 3 });

describe("scratchArm", () => {
  it("trains a whole network from nothing, gives the test part's probabilities, and frees everything", async () => {
    await drawPatients(folder, { patients: 8, images: 2 });
    const dataset = await openDataset(folder);
    const split = splitByPatient(dataset, 1);
    const { backbone } = await loadBackbone({
      backbone: "efficientnet-lite0",
      weights: null,
      inputSize: settings.inputSize,
    });
    const before = [tf.memory().numTensors, countNativeValues()];
    const training = { epochs: 2, batchSize: 8 };
    const arm = scratchArm("from scratch", { dataset, backbone, settings, training });
    const subset = takePatients(dataset, [...split.train, ...split.validation], 1, 1);
    const probabilities = (await arm.learn(subset, split.test, 5))!;
    expect(probabilities.length).toBe(2 * split.test.length);
    for (let i = 0; i < probabilities.length; i += 2) {
      expect(probabilities[i]! + probabilities[i + 1]!).toBeCloseTo(1, 5);
    }
    const again = await arm.learn(subset, split.test, 5);
    expect(again).toEqual(probabilities);
    expect(await arm.learn(subset, split.test, 6)).not.toEqual(probabilities);

    // Again and again: asked before training has begun, nobody would listen.
    const asking = setInterval(requestStop, 5);
    expect(await arm.learn(subset, split.test, 5)).toBeNull();
    clearInterval(asking);
    expect([tf.memory().numTensors, countNativeValues()]).toEqual(before);
    backbone.dispose();
  });
});
