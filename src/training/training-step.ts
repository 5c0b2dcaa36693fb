import { copyHead, type Head, headLogits, headTensors } from "../model/head";
import type { Random } from "../runtime/random";
import { tf } from "../runtime/tensorflow";
import { adamStep, createAdamState } from "./adam";

/** Images that are learned from together. */
export interface TrainingBatch {
  /** Shape [n, width]; the caller disposes. */
  features: tf.Tensor2D;
  /** Shape [n], class indices. */
  labels: Int32Array;
  /** Shape [n]: how much each image counts; 1 where classes are not weighed. */
  sampleWeights: Float32Array;
}

/** What decides how weights change. */
export interface TrainingStepOptions {
  learningRate: number;
  /** Weight of the sum of squared kernels in the loss; biases are free. */
  l2: number;
  /** Share of hidden units dropped at each step, in [0, 1). */
  dropout: number;
  /** Draws the dropout masks, new ones at each step. */
  random: Random;
}

/** A head in training. */
export interface TrainingStep {
  /** The weights as they are now; copy them to keep them. */
  head: Head;
  /** Learns from one batch and returns its loss before that: weighted cross-entropy plus the L2 penalty. */
  learn(batch: TrainingBatch): number;
}

/** Inverted dropout (Srivastava et al., JMLR 15, 2014): what is kept is scaled up, so inference needs no change. */
function dropoutMask(rows: number, units: number, rate: number, random: Random): tf.Tensor2D {
  const kept = 1 / (1 - rate);
  const mask = Float32Array.from({ length: rows * units }, () => (random.next() < rate ? 0 : kept));
  return tf.tensor2d(mask, [rows, units]);
}

/** Mean over the batch of weighted cross-entropies. */
function batchLoss(weights: tf.Tensor[], batch: TrainingBatch, masks: tf.Tensor[]): tf.Scalar {
  const logits = headLogits(weights, batch.features, masks);
  const truth = tf.oneHot(tf.tensor1d(batch.labels, "int32"), logits.shape[1]);
  const crossEntropies = tf.neg(tf.sum(tf.mul(truth, tf.logSoftmax(logits)), 1));
  return tf.mean(tf.mul(crossEntropies, tf.tensor1d(batch.sampleWeights)));
}

/**
 * Adds the gradient of `l2` times the sum of squared weights, and returns that penalty.
 *
 * Over arrays: TensorFlow.js would fill another array as large as the kernel to differentiate a sum.
 */
function addPenalty(gradient: Float32Array, kernel: Float32Array, l2: number): number {
  let squares = 0;
  for (let i = 0; i < kernel.length; i++) {
    squares += kernel[i]! * kernel[i]!;
    gradient[i]! += 2 * l2 * kernel[i]!;
  }
  return l2 * squares;
}

/**
 * Prepares a head for training with Adam on softmax cross-entropy.
 *
 * It holds no tensors between steps. The head that is given stays as it is; `head` of the result changes.
 */
export function createTrainingStep(start: Head, options: TrainingStepOptions): TrainingStep {
  const head = copyHead(start);
  const parameters = head.layers.flatMap((layer) => [layer.kernel, layer.bias]);
  const states = parameters.map((array) => createAdamState(array.length));
  let stepNumber = 0;

  function update(gradients: tf.Tensor[]): number {
    stepNumber++;
    let penalty = 0;
    parameters.forEach((array, i) => {
      const gradient = gradients[i]!.dataSync<"float32">();
      const isKernel = i % 2 === 0;
      if (isKernel && options.l2 > 0) penalty += addPenalty(gradient, array, options.l2);
      adamStep(array, gradient, states[i]!, stepNumber, options.learningRate);
    });
    return penalty;
  }

  function learn(batch: TrainingBatch): number {
    return tf.tidy(() => {
      const hidden = options.dropout > 0 ? head.layers.slice(0, -1) : [];
      const rows = batch.labels.length;
      const masks = hidden.map((layer) => dropoutMask(rows, layer.units, options.dropout, options.random));
      const lossOf = (...weights: tf.Tensor[]) => batchLoss(weights, batch, masks);
      const { value, grads } = tf.valueAndGrads(lossOf)(headTensors(head));
      return value.dataSync()[0]! + update(grads);
    });
  }

  return { head, learn };
}
