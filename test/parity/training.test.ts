import { beforeAll, describe, expect, it } from "vitest";
import { buildHead, type Head, predictHead } from "../../src/model/classifier/head";
import { createRandom } from "../../src/runtime/random";
import { balancedClassWeights } from "../../src/training/head/class-weights";
import { cutIntoBatches } from "../../src/training/head/epoch-batches";
import {
  computeHeadGradients,
  differentiateHead,
  type GradientMethod,
} from "../../src/training/head/head-gradient";
import { type TrainingSettings, trainHead } from "../../src/training/head/train";
import { createTrainingStep } from "../../src/training/head/training-step";
import { hasKeras, runPython } from "../support/python";
import { randomProblem } from "../support/runs/random-problem";

const settings: TrainingSettings = {
  hiddenUnits: [128, 64],
  dropout: 0,
  l2: 1e-3,
  learningRate: 1e-3,
  epochs: 15,
  batchSize: 32,
  classWeights: "balanced",
  patience: 15,
  seed: 11,
};
const stepCount = 10;
const problem = randomProblem({ count: 600, width: 256, seed: 21, separation: 0.25 });
const { width, values } = problem.features;
const { train, validation } = problem.split;
const start = buildHead({
  inputs: width,
  hiddenUnits: settings.hiddenUnits,
  classCount: 2,
  seed: settings.seed,
});

const program = `
import json, sys
import numpy as np
import keras
from sklearn.utils.class_weight import compute_class_weight
case = json.load(sys.stdin)
values = np.array(case["values"], dtype=np.float32).reshape(-1, case["width"])
labels = np.array(case["labels"])
s = case["settings"]
def build():
    model = keras.Sequential([keras.Input((case["width"],))])
    for i, layer in enumerate(case["head"]):
        model.add(keras.layers.Dense(layer["units"], activation=layer["activation"] if layer["activation"] == "relu" else None,
                                     kernel_regularizer=keras.regularizers.L2(s["l2"])))
        kernel = np.array(layer["kernel"], dtype=np.float32).reshape(layer["inputs"], layer["units"])
        model.layers[-1].set_weights([kernel, np.array(layer["bias"], dtype=np.float32)])
    model.compile(keras.optimizers.Adam(s["learningRate"]),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model
train, validation = np.array(case["train"]), np.array(case["validation"])
weights = compute_class_weight("balanced", classes=np.unique(labels), y=labels[train])
model, losses, outputs = build(), [], []
probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(model.predict(values[validation], verbose=0)))
for step in range(case["steps"]):
    rows = train[step * s["batchSize"]:(step + 1) * s["batchSize"]]
    result = model.train_on_batch(values[rows], labels[rows], sample_weight=weights[labels[rows]].astype(np.float32), return_dict=True)
    model.reset_metrics()
    losses.append(float(result["loss"]))
    if step == 0: first = [w.reshape(-1).tolist() for w in model.get_weights()]
fitted = build()
keras.utils.set_random_seed(0)
history = fitted.fit(values[train], labels[train], validation_data=(values[validation], labels[validation]), epochs=s["epochs"],
                     batch_size=s["batchSize"], class_weight=dict(enumerate(weights)), verbose=0).history
print(json.dumps(dict(weights=weights.tolist(), probabilities=probabilities.reshape(-1).tolist(), losses=losses, first=first,
    last=[w.reshape(-1).tolist() for w in model.get_weights()], validationAccuracy=max(history["val_accuracy"]))))
`;

interface KerasAnswer {
  weights: number[];
  probabilities: number[];
  losses: number[];
  first: number[][];
  last: number[][];
  validationAccuracy: number;
}

function largestDifference(ours: ArrayLike<number>, theirs: readonly number[]): number {
  expect(ours.length).toBe(theirs.length);
  return theirs.reduce((most, value, i) => Math.max(most, Math.abs(value - ours[i]!)), 0);
}

function parameters(head: Head): Float32Array[] {
  return head.layers.flatMap((layer) => [layer.kernel.slice(), layer.bias.slice()]);
}

function selectRows(rows: readonly number[]): Float32Array {
  const selected = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    selected.set(values.subarray(row * width, (row + 1) * width), i * width);
  });
  return selected;
}

/** The loss that Keras reports: weighted cross-entropies plus the L2 penalty of the weights before the step. */
function lossOf(head: Head, probabilities: Float32Array, labels: Int32Array, weights: Float32Array): number {
  const squares = head.layers.map(({ kernel }) => kernel.reduce((sum, weight) => sum + weight ** 2, 0));
  const weighted = Array.from(labels, (label, i) => -Math.log(probabilities[2 * i + label]!) * weights[i]!);
  return (
    weighted.reduce((a, b) => a + b, 0) / labels.length + settings.l2 * squares.reduce((a, b) => a + b, 0)
  );
}

/** Takes the same steps as the Python program, on the same batches in the same order. */
function takeSteps(classWeights: number[], gradientMethod: GradientMethod) {
  const labels = Int32Array.from(train, (row) => problem.labels[row]!);
  const sampleWeights = Float32Array.from(labels, (label) => classWeights[label]!);
  const rows = { values: selectRows(train), labels, count: train.length, width, sampleWeights };
  const { batchSize } = settings;
  const step = createTrainingStep(
    start,
    { train: rows, validation: rows },
    { ...settings, masked: false, gradientMethod },
  );
  const order = train.slice(0, stepCount * batchSize).map((_, i) => i);
  const options = { batchSize, droppedUnits: [], dropout: 0, random: createRandom(1) };
  const losses: number[] = [];
  let first: Float32Array[] = [];
  for (const batch of cutIntoBatches(rows, order, options)) {
    const before = step.readHead();
    const inputs = selectRows(Array.from(batch.rows, (row) => train[row]!));
    const weights = batch.shares.map((share) => share * batch.count);
    losses.push(lossOf(before, predictHead(before, inputs, width), batch.labels, weights));
    step.learn(batch);
    if (losses.length === 1) first = parameters(step.readHead());
  }
  const last = parameters(step.readHead());
  step.dispose();
  return { losses, first, last };
}

describe.skipIf(!hasKeras)("training agrees with Keras", () => {
  const classWeights = balancedClassWeights(
    train.map((row) => problem.labels[row]!),
    2,
  );
  let keras: KerasAnswer;
  beforeAll(() => {
    const head = start.layers.map((layer) => ({
      ...layer,
      kernel: Array.from(layer.kernel),
      bias: Array.from(layer.bias),
    }));
    const input = { ...problem, values: Array.from(values), width, settings, head, train, validation };
    keras = JSON.parse(runPython(program, [], JSON.stringify({ ...input, steps: stepCount })));
  });

  it("in what balanced class weights are (scikit-learn)", () => {
    expect(largestDifference(classWeights, keras.weights)).toBeLessThan(1e-12);
  });

  it("in the untrained head's probabilities", () => {
    const ours = predictHead(start, selectRows(validation), width);
    expect(largestDifference(ours, keras.probabilities)).toBeLessThan(1e-6);
  });

  it.each([
    { method: "the gradient of a tape", gradientMethod: computeHeadGradients },
    { method: "TensorFlow.js' gradient", gradientMethod: differentiateHead },
  ])("in the losses and weights of the same steps, within 1e-5, with $method", ({ gradientMethod }) => {
    const ours = takeSteps(classWeights, gradientMethod);
    expect(largestDifference(ours.losses, keras.losses)).toBeLessThan(1e-5);
    ours.first.forEach((array, i) => {
      expect(largestDifference(array, keras.first[i]!)).toBeLessThan(1e-5);
    });
    ours.last.forEach((array, i) => {
      expect(largestDifference(array, keras.last[i]!)).toBeLessThan(1e-5);
    });
  });

  it("in the accuracy that a whole training reaches, within 5 percentage points", async () => {
    const { history } = await trainHead({ ...problem, settings });
    const best = Math.max(...history.map((record) => record.validationAccuracy));
    expect(keras.validationAccuracy).toBeGreaterThan(0.7);
    expect(Math.abs(best - keras.validationAccuracy)).toBeLessThan(0.05);
  });
});
