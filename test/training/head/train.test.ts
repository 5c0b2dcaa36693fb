import { describe, expect, it } from "vitest";
import { buildHead, predictHead } from "../../../src/model/classifier/head";
import { storedRows } from "../../../src/model/features/feature-rows";
import { requestStop } from "../../../src/runtime/interruption";
import { countNativeSessions, countNativeValues } from "../../../src/runtime/native/native-backend";
import { onProgress, type ProgressState } from "../../../src/runtime/progress";
import { tf } from "../../../src/runtime/tensorflow";
import {
  computeHeadGradients,
  differentiateHead,
  type GradientMethod,
} from "../../../src/training/head/head-gradient";
import { type EpochRecord, type TrainingSettings, trainHead } from "../../../src/training/head/train";
import { randomProblem } from "../../support/runs/random-problem";

const settings: TrainingSettings = {
  hiddenUnits: [32, 16],
  dropout: 0.2,
  l2: 1e-4,
  learningRate: 3e-3,
  epochs: 6,
  batchSize: 32,
  classWeights: "balanced",
  patience: 6,
  seed: 3,
};
const problem = randomProblem({ count: 300, width: 48, seed: 5 });

/** What is the same in two equal trainings: everything but the time. */
function withoutTimes(history: EpochRecord[]) {
  return history.map(({ elapsedSeconds: _, ...record }) => record);
}

function accuracyOn(rows: number[], head: Parameters<typeof predictHead>[0]): number {
  const { values, width } = problem.features;
  const correct = rows.filter((row) => {
    const probabilities = predictHead(head, values.slice(row * width, (row + 1) * width), width);
    return (probabilities[1]! > probabilities[0]! ? 1 : 0) === problem.labels[row];
  });
  return correct.length / rows.length;
}

describe("trainHead", () => {
  it("learns, and leaves no tensors behind", async () => {
    const before = tf.memory().numTensors;
    const { head, history, ended } = await trainHead({ ...problem, settings });
    expect(tf.memory().numTensors).toBe(before);
    expect(ended).toBe("completed");
    expect(history).toHaveLength(6);
    expect(history[5]!.trainLoss).toBeLessThan(history[0]!.trainLoss);
    expect(accuracyOn(problem.split.test, head)).toBeGreaterThan(0.7);
  });

  it("gives the same result bit for bit for the same seed, and another for another", async () => {
    const first = await trainHead({ ...problem, settings });
    const second = await trainHead({ ...problem, settings });
    const other = await trainHead({ ...problem, settings: { ...settings, seed: 4 } });
    expect(second.head).toEqual(first.head);
    expect(withoutTimes(second.history)).toEqual(withoutTimes(first.history));
    expect(other.head).not.toEqual(first.head);
  });

  it("tells after each epoch what the head says of the validation images, and after each batch how far it is", async () => {
    const { validation } = problem.split;
    const said: Float32Array[] = [];
    const batches: [number, number][] = [];
    const { head, history, bestEpoch } = await trainHead({
      ...problem,
      settings: { ...settings, epochs: 3 },
      onEpoch: (_record, _history, probabilities) => void said.push(probabilities),
      onBatch: (epoch, imagesLearned) => void batches.push([epoch, imagesLearned]),
    });
    said.forEach((probabilities, i) => {
      const right = validation.filter(
        (row, j) => (probabilities[2 * j + 1]! > probabilities[2 * j]! ? 1 : 0) === problem.labels[row],
      );
      expect(right.length / validation.length).toBe(history[i]!.validationAccuracy);
    });
    const { values, width } = problem.features;
    const rows = Float32Array.from(
      validation.flatMap((row) => [...values.slice(row * width, (row + 1) * width)]),
    );
    const predicted = predictHead(head, rows, width);
    said[bestEpoch - 1]!.forEach((probability, i) => {
      expect(probability).toBeCloseTo(predicted[i]!, 5);
    });
    const firstEpoch = batches.filter(([epoch]) => epoch === 1).map(([, images]) => images);
    expect(firstEpoch).toEqual([32, 64, 96, 128, 160, 180]);
    expect(batches).toHaveLength(18);
  });

  it("refuses identical images in two parts and names them, unless told otherwise", async () => {
    const { train, validation, test } = problem.split;
    const images = problem.labels.map((_, row) => ({ file: `${row}.png`, sha256: `${row}` }));
    const features = { ...problem.features, images };
    await trainHead({ ...problem, features, settings: { ...settings, epochs: 1 } });
    for (const [one, other, names] of [
      [train[0]!, validation[0]!, `${train[0]}.png (train) = ${validation[0]}.png (validation)`],
      [train[1]!, test[0]!, `${train[1]}.png (train) = ${test[0]}.png (test)`],
    ] as const) {
      const copied = images.map((image, row) =>
        row === other ? { ...image, sha256: images[one]!.sha256 } : image,
      );
      const task = { ...problem, features: { ...problem.features, images: copied } };
      await expect(trainHead({ ...task, settings })).rejects.toThrow(names);
      const allowed = { ...settings, epochs: 1, allowDuplicatesAcrossParts: true };
      expect((await trainHead({ ...task, settings: allowed })).history).toHaveLength(1);
    }
    const within = images.map((image, row) =>
      row === train[1] ? { ...image, sha256: `${train[0]}` } : image,
    );
    await trainHead({
      ...problem,
      features: { ...problem.features, images: within },
      settings: { ...settings, epochs: 1 },
    });
  });

  it("never looks at the test rows", async () => {
    const values = problem.features.values.slice();
    const { width } = problem.features;
    for (const row of problem.split.test) values.fill(Number.NaN, row * width, (row + 1) * width);
    const labels = problem.labels.map((label, row) => (problem.split.test.includes(row) ? 1 - label : label));
    const blind = await trainHead({ ...problem, features: { values, width }, labels, settings });
    const seeing = await trainHead({ ...problem, settings });
    expect(blind.head).toEqual(seeing.head);
  });

  it("reports accuracies and losses that the returned head really has", async () => {
    const { head, history, bestEpoch } = await trainHead({
      ...problem,
      settings: { ...settings, classWeights: "none" },
    });
    const { values, width } = problem.features;
    const losses = problem.split.validation.map((row) => {
      const probabilities = predictHead(head, values.slice(row * width, (row + 1) * width), width);
      return -Math.log(probabilities[problem.labels[row]!]!);
    });
    const record = history[bestEpoch - 1]!;
    expect(record.epoch).toBe(bestEpoch);
    expect(record.validationAccuracy).toBe(accuracyOn(problem.split.validation, head));
    expect(record.trainAccuracy).toBe(accuracyOn(problem.split.train, head));
    expect(record.validationLoss).toBeCloseTo(losses.reduce((a, b) => a + b, 0) / losses.length, 5);
  });

  it("stops early, and gives back the weights of the best epoch", async () => {
    const eager = { ...settings, learningRate: 0.02, epochs: 60, patience: 4, dropout: 0, l2: 0 };
    const { head, history, bestEpoch, ended } = await trainHead({ ...problem, settings: eager });
    expect(ended).toBe("early-stopping");
    expect(history).toHaveLength(bestEpoch + 4);
    const lowest = Math.min(...history.map((record) => record.validationLoss));
    expect(history[bestEpoch - 1]?.validationLoss).toBe(lowest);
    const only = await trainHead({ ...problem, settings: { ...eager, epochs: bestEpoch } });
    expect(head).toEqual(only.head);
  });

  it("ends with the best so far when it is interrupted", async () => {
    const seen: number[] = [];
    const { head, history, bestEpoch, ended } = await trainHead({
      ...problem,
      settings: { ...settings, epochs: 500, patience: 500 },
      onEpoch: ({ epoch }) => {
        seen.push(epoch);
        if (epoch === 3) requestStop();
      },
    });
    expect(ended).toBe("interrupted");
    expect(seen).toEqual([1, 2, 3]);
    expect(history).toHaveLength(3);
    const three = await trainHead({ ...problem, settings: { ...settings, epochs: 3 } });
    expect(bestEpoch).toBe(three.bestEpoch);
    expect(head).toEqual(three.head);
  });

  it("gives the untrained head when it is interrupted at once", async () => {
    const training = trainHead({ ...problem, settings });
    requestStop();
    const { head, history, bestEpoch, ended } = await training;
    expect({ history, bestEpoch, ended }).toEqual({ history: [], bestEpoch: 0, ended: "interrupted" });
    const { width } = problem.features;
    expect(head).toEqual(buildHead({ inputs: width, hiddenUnits: [32, 16], classCount: 2, seed: 3 }));
  });

  it("lets the event loop run at every batch", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 0);
    await trainHead({ ...problem, settings: { ...settings, epochs: 20, patience: 20 } });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(20);
  });

  it("waits for onEpoch and reports progress in epochs", async () => {
    const states: ProgressState[] = [];
    const unsubscribe = onProgress((state) => states.push(state));
    let pending = 0;
    await trainHead({
      ...problem,
      settings: { ...settings, epochs: 3 },
      onEpoch: async (record, history) => {
        expect(history[history.length - 1]).toBe(record);
        pending++;
        await new Promise((resolve) => setTimeout(resolve, 5));
        pending--;
      },
    });
    unsubscribe();
    expect(pending).toBe(0);
    expect(states.map((state) => state.done)).toEqual([0, 1, 2, 3, 3]);
    expect(states[4]).toMatchObject({ unit: "epochs", total: 3, finished: true });
  });

  it("learns more than two classes", async () => {
    const three = randomProblem({ count: 400, width: 48, seed: 6, classCount: 3, separation: 1 });
    const { history, bestEpoch } = await trainHead({ ...three, settings: { ...settings, epochs: 10 } });
    expect(history[bestEpoch - 1]?.validationAccuracy).toBeGreaterThan(0.75);
  });
});

describe("trainHead's weights in TensorFlow", () => {
  const held = () => [tf.memory().numTensors, countNativeValues()];

  it("are released when training ends, is interrupted, diverges or onEpoch throws", async () => {
    await trainHead({ ...problem, settings });
    const before = held();
    await trainHead({ ...problem, settings });
    expect(held()).toEqual(before);

    const interrupted = trainHead({ ...problem, settings, onEpoch: () => void setImmediate(requestStop) });
    expect((await interrupted).ended).toBe("interrupted");
    expect(held()).toEqual(before);

    const values = problem.features.values.map((value) => value * 1e18);
    const features = { values, width: problem.features.width };
    const wild = { ...settings, learningRate: 10 };
    await expect(trainHead({ ...problem, features, settings: wild })).rejects.toThrow(/diverged/);
    expect(held()).toEqual(before);

    const onEpoch = () => {
      throw new Error("The figure could not be drawn.");
    };
    await expect(trainHead({ ...problem, settings, onEpoch })).rejects.toThrow(/could not be drawn/);
    expect(held()).toEqual(before);
  });

  it("are released when the gradient can't be computed, at once or at a batch", async () => {
    await trainHead({ ...problem, settings });
    const before = [...held(), countNativeSessions()];
    const refusing: GradientMethod = () => {
      throw new Error("Out of memory.");
    };
    await expect(trainHead({ ...problem, settings, gradientMethod: refusing })).rejects.toThrow(/memory/);
    expect([...held(), countNativeSessions()]).toEqual(before);
    // Class 1 is first met in a batch, and here there would have to be a class 2.
    const stumbling: GradientMethod = (weights, batch, l2) => {
      const labels = tf.tidy(() => tf.add<tf.Tensor1D>(batch.labels, tf.scalar(1, "int32")));
      try {
        return computeHeadGradients(weights, { ...batch, labels }, l2);
      } finally {
        labels.dispose();
      }
    };
    const task = { ...problem, settings, gradientMethod: stumbling };
    await expect(trainHead(task)).rejects.toThrow(/node step\/\d+-SparseSoftmaxCrossEntropyWithLogits/);
    expect([...held(), countNativeSessions()]).toEqual(before);
  });
});

describe("trainHead with TensorFlow.js' gradient", () => {
  it("goes the same way as with the one written by hand", async () => {
    const short = { ...settings, epochs: 3 };
    const byHand = await trainHead({ ...problem, settings: short });
    const general = await trainHead({ ...problem, settings: short, gradientMethod: differentiateHead });
    const again = await trainHead({ ...problem, settings: short, gradientMethod: differentiateHead });
    expect(again.head).toEqual(general.head);
    general.history.forEach((record, i) => {
      expect(record.trainLoss).toBeCloseTo(byHand.history[i]!.trainLoss, 4);
      expect(record.validationLoss).toBeCloseTo(byHand.history[i]!.validationLoss, 4);
    });
  });
});

describe("trainHead refuses", () => {
  const { train, validation } = problem.split;
  const before = tf.memory().numTensors;

  it("an empty part", async () => {
    const task = { ...problem, settings };
    await expect(trainHead({ ...task, split: { train: [], validation } })).rejects.toThrow(
      /training part has no images/,
    );
    await expect(trainHead({ ...task, split: { train, validation: [] } })).rejects.toThrow(
      /validation part has no images/,
    );
  });

  it("a class without training images", async () => {
    const labels = problem.labels.map(() => 1);
    await expect(trainHead({ ...problem, labels, settings })).rejects.toThrow(
      /class 0 \(images a class: 0, 180\)/,
    );
  });

  it("features that are missing, of another number of records, or not finite", async () => {
    const { values, width } = problem.features;
    const interrupted = { values, width, complete: false };
    await expect(trainHead({ ...problem, features: interrupted, settings })).rejects.toThrow(/incomplete/);
    const short = { values: values.slice(width), width };
    await expect(trainHead({ ...problem, features: short, settings })).rejects.toThrow(/300 records/);
    const broken = { values: values.slice().fill(Number.NaN, 0, width), width };
    const parts = { train: [0, ...train], validation };
    await expect(trainHead({ ...problem, features: broken, split: parts, settings })).rejects.toThrow(
      /record 0/,
    );
  });

  it("to go on after diverging, and names the learning rate", async () => {
    const values = problem.features.values.map((value) => value * 1e18);
    const features = { values, width: problem.features.width };
    const task = { ...problem, features, settings: { ...settings, learningRate: 10 } };
    await expect(trainHead(task)).rejects.toThrow(/diverged.*learning rate 10 .*try 1\./);
  });

  it("without leaving tensors behind", () => {
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("trainHead on several views", () => {
  const { train } = problem.split;
  const { values, width } = problem.features;
  const changed = (by: number) => values.map((value, i) => value + (i % 3 === 0 ? by : 0));
  const views = [{ values: changed(0.3) }, { values: changed(-0.3) }];

  it("learns of one view of each image an epoch, the same ones for the same seed", async () => {
    const before = tf.memory().numTensors;
    const batches: [number, number][] = [];
    const features = { ...problem.features, views };
    const onBatch = (epoch: number, images: number) => void batches.push([epoch, images]);
    const first = await trainHead({ ...problem, features, settings, onBatch });
    expect(batches.filter(([epoch]) => epoch === 2).map(([, images]) => images)).toEqual([
      32, 64, 96, 128, 160, 180,
    ]);
    const second = await trainHead({ ...problem, features, settings });
    expect(second.head).toEqual(first.head);
    const plain = await trainHead({ ...problem, settings });
    expect(plain.head).not.toEqual(first.head);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("is the training without them, to the bit, where all views are the image as it is", async () => {
    const features = { ...problem.features, views: [{ values }, { values }, { values }] };
    const seen = await trainHead({ ...problem, features, settings });
    const plain = await trainHead({ ...problem, settings });
    expect(seen.head).toEqual(plain.head);
    expect(withoutTimes(seen.history)).toEqual(withoutTimes(plain.history));
  });

  it("learns from the views, and scores the images as they are", async () => {
    // Of the training images only the views tell the classes apart; as they are, all look alike.
    const alike = values.slice();
    for (const row of train) alike.fill(0.5, row * width, (row + 1) * width);
    const features = { width, values: alike, views: [{ values }] };
    const { history, head } = await trainHead({ ...problem, features, settings });
    const malignant = train.filter((row) => problem.labels[row] === 1).length / train.length;
    for (const { trainAccuracy } of history) expect([malignant, 1 - malignant]).toContain(trainAccuracy);
    expect(accuracyOn(problem.split.test, head)).toBeGreaterThan(0.7);
  });

  it("never looks at views of images that it does not train on", async () => {
    const blinded = views.map((view) => {
      const kept = new Float32Array(view.values.length).fill(Number.NaN);
      for (const row of train) {
        kept.set(view.values.subarray(row * width, (row + 1) * width), row * width);
      }
      return { values: kept };
    });
    const seeing = await trainHead({ ...problem, features: { ...problem.features, views }, settings });
    const blind = await trainHead({
      ...problem,
      features: { ...problem.features, views: blinded },
      settings,
    });
    expect(blind.head).toEqual(seeing.head);
    const missing = [{ values: views[0]!.values.map((value, i) => (i < width ? Number.NaN : value)) }];
    const split = { ...problem.split, train: [0, ...train.filter((row) => row !== 0)] };
    await expect(
      trainHead({ ...problem, split, features: { ...problem.features, views: missing }, settings }),
    ).rejects.toThrow(/features of record 0 are not finite/);
  });

  it("learns the same to the bit from features that are read row by row", async () => {
    // More rows than are evaluated at a time.
    const { features, ...large } = randomProblem({ count: 8000, width: 12, seed: 6 });
    const brief = { ...settings, epochs: 2 };
    const stored = (values: Float32Array) => ({ ...storedRows(values, 12) });
    const turned = features.values.map((value, i) => value + 0.01 * (i % 5));
    for (const views of [undefined, [turned]]) {
      const [held, read] = [{ ...features }, { ...features, values: stored(features.values) }].map(
        (one, i) =>
          views === undefined
            ? one
            : { ...one, views: views.map((values) => ({ values: i === 0 ? values : stored(values) })) },
      );
      const before = [tf.memory().numTensors, countNativeValues()];
      const fromMemory = await trainHead({ ...large, features: held!, settings: brief });
      const fromFile = await trainHead({ ...large, features: read!, settings: brief });
      expect([tf.memory().numTensors, countNativeValues()]).toEqual(before);
      expect(fromFile.head).toEqual(fromMemory.head);
      expect(withoutTimes(fromFile.history)).toEqual(withoutTimes(fromMemory.history));
    }
  });

  it("refuses stains that were normalised to others than it trains on", async () => {
    const features = { ...problem.features, fittedOn: train.slice(3) };
    await trainHead({ ...problem, features, settings: { ...settings, epochs: 1 } });
    for (const row of [problem.split.test[0]!, problem.split.validation[0]!, -1]) {
      const foreign = { ...problem.features, fittedOn: [...train, row] };
      await expect(trainHead({ ...problem, features: foreign, settings })).rejects.toThrow(
        /stains were normalised to those of another training part/,
      );
    }
  });
});
