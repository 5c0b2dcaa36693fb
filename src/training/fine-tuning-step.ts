import type { Convolution, ConvolutionWeights } from "../model/convolutions";
import { type Head, headTensors } from "../model/head";
import { runOnTape, runStages, type Stage } from "../model/stages";
import { createNativeAdam, type NativeAdam } from "../runtime/native-adam";
import {
  createNativeVariable,
  type NativeScope,
  type NativeVariable,
  typeAttribute,
  withNativeScope,
} from "../runtime/native-ops";
import { createTape, type Tape, type TapeValue } from "../runtime/native-tape";
import { tf } from "../runtime/tensorflow";

/** Images that are learned from together. */
export interface FineTuningBatch {
  /** The input of the lowest trained stage, shape [n, height, width, channels]. */
  input: tf.Tensor4D;
  /** Shape [n], class indices, int32. */
  labels: tf.Tensor1D;
  /** Shape [n, 1]: each image's factor in the loss of the step that it belongs to. */
  shares: tf.Tensor2D;
  /** What the output of each hidden layer of the head is multiplied with, shape [n, units]; empty without dropout. */
  masks: readonly tf.Tensor2D[];
}

/** What decides how weights change. */
export interface FineTuningStepOptions {
  /** Of the trained stages, lowest first. */
  stageLearningRates: readonly number[];
  headLearningRate: number;
  /** Weight of the head's squared kernels in the loss. */
  l2: number;
}

/** Stages and a head in training. Their weights live in native variables until `dispose`. */
export interface FineTuningStep {
  /** Adds a batch's gradient to those since the last step; returns the logits before it, which the caller disposes. */
  learn(batch: FineTuningBatch): tf.Tensor2D;
  /** Changes all weights by what was learned since the last step; rates are multiplied with the factor. */
  step(learningRateFactor: number): void;
  /** Logits as the weights are now, without dropout; the caller disposes. */
  logits(input: tf.Tensor4D): tf.Tensor2D;
  /** What a batch's gradient is, of each weight tensor in `weightNames`' order; the caller disposes. */
  gradients(batch: FineTuningBatch): { logits: tf.Tensor2D; gradients: tf.Tensor[] };
  /** For example "conv5_block1_1_conv/kernel" and "head/0/kernel". */
  weightNames: readonly string[];
  /** The convolutions' weights as they are now, by name; copies. */
  readStages(): Map<string, ConvolutionWeights>;
  /** The head as it is now, a copy. */
  readHead(): Head;
  dispose(): void;
}

/** Creates a variable a tensor, or none at all. */
function createVariables(tensors: readonly tf.Tensor[]): NativeVariable[] {
  const variables: NativeVariable[] = [];
  try {
    for (const tensor of tensors) variables.push(createNativeVariable(tensor));
    return variables;
  } catch (error) {
    for (const variable of variables) variable.dispose();
    throw error;
  }
}

function readArray(variable: NativeVariable): Float32Array {
  const tensor = variable.read();
  const values = tensor.dataSync<"float32">();
  tensor.dispose();
  return values.slice();
}

/** Puts the head on the tape: dense layers with ReLU and masks between them. */
function headOnTape(
  tape: Tape,
  weights: readonly TapeValue[],
  features: TapeValue,
  masks: number[],
): TapeValue {
  const layers = weights.length / 2;
  let value = features;
  for (let layer = 0; layer < layers; layer++) {
    const mask = masks[layer];
    value = tape.dense(value, weights[2 * layer]!, weights[2 * layer + 1]!, {
      relu: layer < layers - 1,
      ...(mask === undefined ? {} : { mask }),
    });
  }
  return value;
}

/** The slope of the weighted cross-entropy at the logits. */
function lossSlope(scope: NativeScope, logits: TapeValue, { labels, shares }: FineTuningBatch): number {
  const attributes = [typeAttribute("T"), typeAttribute("Tlabels", "int32")];
  const inputs = [logits.id, scope.input(labels)];
  const [losses, slope] = scope.runAll("SparseSoftmaxCrossEntropyWithLogits", attributes, inputs, 2);
  scope.free(losses!);
  const shared = scope.run("Mul", [typeAttribute("T")], [slope!, scope.input(shares)]);
  scope.free(slope!);
  return shared;
}

/**
 * Prepares stages and a head for training together with Adam on softmax cross-entropy, each stage with a learning rate of
 * its own. What is given stays as it is.
 */
export function createFineTuningStep(
  stages: readonly Stage[],
  start: Head,
  options: FineTuningStepOptions,
): FineTuningStep {
  const convolutions = stages.flatMap((stage) => stage.convolutions);
  const headStart = headTensors(start);
  let variables: NativeVariable[];
  try {
    variables = createVariables([
      ...convolutions.flatMap(({ kernel, bias }) => [kernel, bias]),
      ...headStart,
    ]);
  } finally {
    tf.dispose(headStart);
  }
  const headFirst = 2 * convolutions.length;
  const place = new Map<Convolution, number>(convolutions.map((convolution, i) => [convolution, 2 * i]));
  const groups = groupVariables(stages, variables, options);
  let sums: tf.Tensor[] | null = null;

  /** Lends the weights: they must be gone before an update, which would copy them otherwise. */
  function withWeights<T>(work: (weights: tf.Tensor[]) => T): T {
    const weights = variables.map((variable) => variable.read());
    try {
      return work(weights);
    } finally {
      tf.dispose(weights);
    }
  }

  function gradients(batch: FineTuningBatch): { logits: tf.Tensor2D; gradients: tf.Tensor[] } {
    return withWeights((weights) =>
      withNativeScope((scope) => {
        const tape = createTape(scope);
        const leaves = weights.map((tensor) => tape.leaf(scope.input(tensor), true));
        const weightsOf = (convolution: Convolution) => {
          const first = place.get(convolution)!;
          return { kernel: leaves[first]!, bias: leaves[first + 1]! };
        };
        const last = runOnTape(tape, stages, weightsOf, scope.input(batch.input));
        const masks = batch.masks.map(scope.input);
        const logits = headOnTape(tape, leaves.slice(headFirst), tape.poolMean(last), masks);
        const copy = scope.run("Identity", [typeAttribute("T")], [logits.id]);
        const slopes = tape.backward(logits, lossSlope(scope, logits, batch));
        return {
          logits: scope.toTensor(copy) as tf.Tensor2D,
          gradients: leaves.map((leaf) => scope.toTensor(slopes.get(leaf)!)),
        };
      }),
    );
  }

  function learn(batch: FineTuningBatch): tf.Tensor2D {
    const found = gradients(batch);
    const before = sums;
    if (before === null) sums = found.gradients;
    else {
      sums = before.map((sum, i) => tf.add(sum, found.gradients[i]!));
      tf.dispose([before, found.gradients]);
    }
    return found.logits;
  }

  /** The penalty's part in the gradients of the head's kernels, added in place. */
  function addPenalty(gradient: tf.Tensor[]): void {
    if (options.l2 === 0) return;
    for (let i = headFirst; i < variables.length; i += 2) {
      const kernel = variables[i]!.read();
      const before = gradient[i]!;
      gradient[i] = tf.tidy(() => tf.add(before, tf.mul(kernel, 2 * options.l2)));
      tf.dispose([before, kernel]);
    }
  }

  function step(learningRateFactor: number): void {
    if (sums === null) return;
    const gradient = sums;
    sums = null;
    try {
      addPenalty(gradient);
      for (const { adam, first, count, learningRate } of groups) {
        adam.apply(gradient.slice(first, first + count), learningRate * learningRateFactor);
      }
    } finally {
      tf.dispose(gradient);
    }
  }

  function logits(input: tf.Tensor4D): tf.Tensor2D {
    return withWeights((weights) => {
      const last = runStages(stages, input, (convolution) => {
        const first = place.get(convolution)!;
        return { kernel: weights[first]!, bias: weights[first + 1]! };
      });
      const answer = withNativeScope((scope) => {
        const tape = createTape(scope);
        const leaf = (tensor: tf.Tensor) => tape.leaf(scope.input(tensor), false);
        // Identity, because the pooling asks the scope for its input's shape.
        const held = scope.run("Identity", [typeAttribute("T")], [scope.input(last)]);
        const features = tape.poolMean({ id: held, tracked: false });
        return scope.toTensor(headOnTape(tape, weights.slice(headFirst).map(leaf), features, []).id);
      });
      last.dispose();
      return answer as tf.Tensor2D;
    });
  }

  return {
    learn,
    step,
    logits,
    gradients,
    weightNames: [
      ...convolutions.flatMap(({ name }) => [`${name}/kernel`, `${name}/bias`]),
      ...start.layers.flatMap((_, i) => [`head/${i}/kernel`, `head/${i}/bias`]),
    ],
    readStages: () =>
      new Map(
        convolutions.map(({ name }, i) => [
          name,
          { kernel: readArray(variables[2 * i]!), bias: readArray(variables[2 * i + 1]!) },
        ]),
      ),
    readHead: () => ({
      layers: start.layers.map((layer, i) => ({
        ...layer,
        kernel: readArray(variables[headFirst + 2 * i]!),
        bias: readArray(variables[headFirst + 2 * i + 1]!),
      })),
    }),
    dispose() {
      tf.dispose(sums ?? []);
      sums = null;
      for (const { adam } of groups) adam.dispose();
      for (const variable of variables) variable.dispose();
    },
  };
}

/** Variables that learn at one rate: `count` of them from the one called `first` on. */
interface Group {
  adam: NativeAdam;
  first: number;
  count: number;
  learningRate: number;
}

/** An Adam for each stage and for the head; all or, when one fails, none and no variables either. */
function groupVariables(
  stages: readonly Stage[],
  variables: readonly NativeVariable[],
  { stageLearningRates, headLearningRate }: FineTuningStepOptions,
): Group[] {
  const groups: Group[] = [];
  let first = 0;
  const add = (count: number, learningRate: number) => {
    groups.push({
      adam: createNativeAdam(variables.slice(first, first + count)),
      first,
      count,
      learningRate,
    });
    first += count;
  };
  try {
    stages.forEach(({ convolutions }, i) => {
      add(2 * convolutions.length, stageLearningRates[i]!);
    });
    add(variables.length - first, headLearningRate);
    return groups;
  } catch (error) {
    for (const { adam } of groups) adam.dispose();
    for (const variable of variables) variable.dispose();
    throw error;
  }
}
