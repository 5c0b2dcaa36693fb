import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadBackbone } from "../../../src/model/backbones/backbone";
import {
  efficientnetLite0File,
  findKeptWeights,
  locateResnet50,
  type PublishedWeights,
  publishedResnet50,
} from "../../../src/model/backbones/weights-location";
import { onProgress, type ProgressState } from "../../../src/runtime/progress";
import { tf } from "../../../src/runtime/tensorflow";
import { hasSharedData, resnet50Weights } from "../../support/data/shared-data";
import { writeSmallHdf5 } from "../../support/model/small-hdf5";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("backbone");
const cache = join(folder, "cache");
const weightsFolder = join(cache, "weights");
const content = Buffer.from("not really a network, but the right bytes");
const published: PublishedWeights = {
  name: "published.h5",
  url: "http://127.0.0.1:9/never-asked",
  md5: createHash("md5").update(content).digest("hex"),
};
const patience = { probeMs: 2_000, downloadMs: 2_000 };
const variables = ["BREAKHIS_CACHE", "BREAKHIS_WEIGHTS", "BREAKHIS_WEIGHTS_URL", "BREAKHIS_OFFLINE"];
const before = new Map(variables.map((variable) => [variable, process.env[variable]]));

let server: Server;
let requests: number;
let answer: (response: ServerResponse, isHead: boolean) => void;

beforeEach(async () => {
  for (const variable of variables) delete process.env[variable];
  process.env["BREAKHIS_CACHE"] = cache;
  requests = 0;
  answer = (response) => response.end(content);
  server = createServer((request, response) => {
    requests++;
    answer(response, request.method === "HEAD");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  process.env["BREAKHIS_WEIGHTS_URL"] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.h5`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(cache, { recursive: true, force: true });
  for (const [variable, value] of before) {
    if (value === undefined) delete process.env[variable];
    else process.env[variable] = value;
  }
});

describe("locateResnet50", () => {
  it("takes a path that was given before everything else, the setting before the variable", async () => {
    const [setting, variable] = [join(folder, "setting.h5"), join(folder, "variable.h5")];
    writeFileSync(setting, "");
    writeFileSync(variable, "");
    process.env["BREAKHIS_WEIGHTS"] = variable;
    const fromSetting = await locateResnet50(setting, patience, published);
    expect(fromSetting).toEqual({ found: true, path: setting, source: "user's file" });
    expect(await locateResnet50(null, patience, published)).toMatchObject({ found: true, path: variable });
    const missing = locateResnet50(join(folder, "missing.h5"), patience, published);
    await expect(missing).rejects.toThrow(/no file of weights at .*missing\.h5/);
    expect(requests).toBe(0);
  });

  it("downloads the published file once, with progress, and takes it from the cache then", async () => {
    const states: ProgressState[] = [];
    const unsubscribe = onProgress((state) => states.push(state));
    const path = join(weightsFolder, published.name);
    expect(await locateResnet50(null, patience, published)).toMatchObject({ found: true, path });
    unsubscribe();
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(states.at(-1)).toMatchObject({ unit: "bytes", done: content.length, finished: true });
    requests = 0;
    expect(await locateResnet50(null, patience, published)).toMatchObject({ found: true, path });
    expect(requests).toBe(0);
  });

  it("takes nothing from the cache that is not the published file, and leaves it there", async () => {
    const path = join(weightsFolder, published.name);
    mkdirSync(weightsFolder, { recursive: true });
    writeFileSync(path, "something else");
    const location = await locateResnet50(null, patience, published);
    expect(location).toMatchObject({
      found: false,
      reason: expect.stringMatching(/is not the published file/),
    });
    expect(existsSync(path)).toBe(true);
  });

  it("asks nobody when the network is forbidden", async () => {
    process.env["BREAKHIS_OFFLINE"] = "1";
    const location = await locateResnet50(null, patience, published);
    expect(location).toMatchObject({ found: false, reason: expect.stringMatching(/BREAKHIS_OFFLINE=1/) });
    expect(requests).toBe(0);
  });

  it.each<[string, typeof answer, RegExp]>([
    ["has no such file", (response) => response.writeHead(404).end(), /answers 404/],
    ["has another file", (response) => response.end("an error page"), /not the expected file/],
    ["never answers", () => undefined, /did not answer within 0\.05 s/],
    [
      "takes too long",
      (response, isHead) => (isHead ? response.end() : response.writeHead(200).write("slowly")),
      /longer than 0\.2 s; the next one goes on/,
    ],
  ])("gives up on a server that %s", async (_name, badAnswer, reason) => {
    answer = badAnswer;
    const location = await locateResnet50(null, { probeMs: 50, downloadMs: 200 }, published);
    expect(location).toMatchObject({ found: false, reason: expect.stringMatching(reason) });
    expect(existsSync(join(weightsFolder, published.name))).toBe(false);
  });
});

describe("loadBackbone", () => {
  it("takes EfficientNet-Lite0 automatically where ResNet50 can't be had, and says why", async () => {
    process.env["BREAKHIS_OFFLINE"] = "1";
    const tensors = tf.memory().numTensors;
    const { backbone, explanation } = await loadBackbone({ backbone: "auto", weights: null, inputSize: 64 });
    expect(backbone).toMatchObject({
      name: "efficientnet-lite0",
      pretrained: true,
      featureWidth: 1280,
      inputSize: 64,
    });
    expect(backbone.weights.name).toBe(efficientnetLite0File);
    expect(explanation).toMatch(/^EfficientNet-Lite0 .*because ResNet50's weights .*BREAKHIS_OFFLINE=1.*\.$/);
    const narrow = tf.zeros([1, 32, 64, 3]) as tf.Tensor4D;
    expect(() => backbone.embed(narrow)).toThrow(/\[n, 64, 64, 3\], found \[1, 32, 64, 3\]/);
    narrow.dispose();
    backbone.dispose();
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it("refuses ResNet50 without weights, saying what to do", async () => {
    process.env["BREAKHIS_OFFLINE"] = "1";
    const loading = loadBackbone({ backbone: "resnet50", weights: null, inputSize: 224 });
    await expect(loading).rejects.toThrow(/Fetch https:.*notop\.h5 elsewhere and give its path as `weights`/);
    expect(publishedResnet50.md5).toMatch(/^[0-9a-f]{32}$/);
  });

  it("refuses weights of another network and sizes too small, and frees what it had", async () => {
    const tensors = tf.memory().numTensors;
    const path = join(folder, "other.h5");
    writeSmallHdf5(path, { conv1_conv: { kernel: ["f4", [1, 2]] } });
    await expect(loadBackbone({ backbone: "auto", weights: path, inputSize: 224 })).rejects.toThrow(
      /other\.h5: the weights "conv1_conv\/kernel" should have the shape \[7, 7, 3, 64\], found \[2\]/,
    );
    const tiny = loadBackbone({ backbone: "efficientnet-lite0", weights: null, inputSize: 16 });
    await expect(tiny).rejects.toThrow(/at least 32, found 16/);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it("notices that EfficientNet-Lite0's converted weights were changed", async () => {
    mkdirSync(weightsFolder, { recursive: true });
    const source = findKeptWeights(efficientnetLite0File);
    const copy = join(weightsFolder, efficientnetLite0File);
    copyFileSync(source!, copy);
    const bytes = readFileSync(copy);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(copy, bytes);
    const choice = { backbone: "efficientnet-lite0", weights: null, inputSize: 64 } as const;
    await expect(loadBackbone(choice)).rejects.toThrow(/is damaged: remove it and run `npm run setup`/);
    // The same file, given as the user's own, is used and not called pretrained.
    const { backbone } = await loadBackbone({ ...choice, weights: copy });
    expect(backbone).toMatchObject({ pretrained: false, weights: { source: "user's file" } });
    backbone.dispose();
    truncateSync(copy, 1_000);
    await expect(loadBackbone({ ...choice, weights: copy })).rejects.toThrow(/cut short/);
    expect(readdirSync(weightsFolder)).toEqual([efficientnetLite0File]);
  });
});

describe.skipIf(!hasSharedData)("loadBackbone with real ResNet50 weights", () => {
  it("takes ResNet50 automatically, calls the file the user's, and frees everything", async () => {
    const tensors = tf.memory().numTensors;
    process.env["BREAKHIS_WEIGHTS"] = resnet50Weights;
    const { backbone, explanation } = await loadBackbone({ backbone: "auto", weights: null, inputSize: 64 });
    expect(backbone).toMatchObject({ name: "resnet50", pretrained: false, parameterCount: 23_587_712 });
    expect(backbone.weights).toMatchObject({ name: "resnet50_imagenet_notop.h5", source: "user's file" });
    expect(explanation).toMatch(/^ResNet50 with the weights of resnet50_imagenet_notop\.h5/);
    const kept = tf.memory().numTensors;
    const images = tf.zeros([1, 64, 64, 3], "int32") as tf.Tensor4D;
    tf.dispose([backbone.embed(images), images]);
    expect(tf.memory().numTensors).toBe(kept);
    backbone.dispose();
    expect(tf.memory().numTensors).toBe(tensors);
  });
});
