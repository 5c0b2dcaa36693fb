import { type Head, headLogits, headTensors } from "../model/head";
import { createNativeAdam, type NativeAdam } from "../runtime/native-adam";
import { createNativeVariable, type NativeVariable } from "../runtime/native-ops";
import { tf } from "../runtime/tensorflow";
import { computeHeadGradients, type GradientMethod, type TrainingBatch } from "./head-gradient";

/** What decides how weights change. */
export interface TrainingStepOptions {
  learningRate: number;
  /** Weight of the sum of squared kernels in the loss; biases are free. */
  l2: number;
  /** By default the one written by hand. */
  gradientMethod?: GradientMethod;
}

/** A head in training. Its weights live in native variables until `dispose`. */
export interface TrainingStep {
  /** Learns from one batch; returns each image's cross-entropy before that, which the caller disposes. */
  learn(batch: TrainingBatch): tf.Tensor1D;
  /** Logits of rows as the head is now, without dropout; the caller disposes. */
  logits(features: tf.Tensor2D): tf.Tensor2D;
  /** The head as it is now, a copy. */
  readHead(): Head;
  dispose(): void;
}

function createVariables(head: Head): NativeVariable[] {
  const tensors = headTensors(head);
  const variables: NativeVariable[] = [];
  try {
    for (const tensor of tensors) variables.push(createNativeVariable(tensor));
    return variables;
  } catch (error) {
    for (const variable of variables) variable.dispose();
    throw error;
  } finally {
    tf.dispose(tensors);
  }
}

function readArray(variable: NativeVariable): Float32Array {
  const tensor = variable.read();
  const values = tensor.dataSync<"float32">();
  tensor.dispose();
  return values;
}

/** Prepares a head for training with Adam on softmax cross-entropy. The head that is given stays as it is. */
export function createTrainingStep(start: Head, options: TrainingStepOptions): TrainingStep {
  const { learningRate, l2, gradientMethod = computeHeadGradients } = options;
  const variables = createVariables(start);
  let adam: NativeAdam;
  try {
    adam = createNativeAdam(variables);
  } catch (error) {
    for (const variable of variables) variable.dispose();
    throw error;
  }

  /** Lends the weights: they must be gone before an update, which would copy them otherwise. */
  function withWeights<T>(work: (weights: tf.Tensor[]) => T): T {
    const weights = variables.map((variable) => variable.read());
    try {
      return work(weights);
    } finally {
      tf.dispose(weights);
    }
  }

  function learn(batch: TrainingBatch): tf.Tensor1D {
    const result = withWeights((weights) => gradientMethod(weights, batch, l2));
    try {
      adam.apply(result.gradients, learningRate);
    } finally {
      tf.dispose(result.gradients);
    }
    return result.crossEntropies;
  }

  return {
    learn,
    logits: (features) => withWeights((weights) => tf.tidy(() => headLogits(weights, features))),
    readHead: () => ({
      layers: start.layers.map((layer, i) => ({
        ...layer,
        kernel: readArray(variables[2 * i]!),
        bias: readArray(variables[2 * i + 1]!),
      })),
    }),
    dispose() {
      adam.dispose();
      for (const variable of variables) variable.dispose();
    },
  };
}
