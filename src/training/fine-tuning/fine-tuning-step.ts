import type { ConvolutionWeights } from "../../model/backbones/convolutions";
import type { Stage } from "../../model/backbones/stages";
import type { Head } from "../../model/classifier/head";
import { adamPowers } from "../../runtime/native/graph-variables";
import type { Feed, GraphValue } from "../../runtime/native/native-graph";
import { tf } from "../../runtime/tensorflow";
import {
  type FineTuningGraph,
  type FineTuningGraphShape,
  fineTuningFeeds,
  openFineTuningGraph,
  weightNamesOf,
  withStartWeights,
} from "./fine-tuning-graph";

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
export interface FineTuningStepOptions extends Pick<FineTuningGraphShape, "inputShape" | "masked" | "l2"> {
  /** Of the trained stages, lowest first. */
  stageLearningRates: readonly number[];
  headLearningRate: number;
}

/** Stages and a head in training. Their weights live in TensorFlow until `dispose`. */
export interface FineTuningStep {
  /**
   * Adds a batch's gradient to those since the last step, and takes the step: all weights change by them.
   *
   * @param learningRateFactor - What all rates are multiplied with; null where the step has further batches.
   * @returns The logits before it, shape [n, classes]; the caller disposes.
   */
  learn(batch: FineTuningBatch, learningRateFactor: number | null): tf.Tensor2D;
  /** Logits as the weights are now, shape [n, classes], without dropout; the caller disposes. */
  logits(input: tf.Tensor4D): tf.Tensor2D;
  /** False if a weight is infinite or no number, which need not show in the logits: a fused ReLU makes it 0. */
  isFinite(): boolean;
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

function startVariables(
  { session, weights, moments }: FineTuningGraph,
  stages: readonly Stage[],
  head: Head,
): void {
  const starts = [...weights, ...moments].map(({ start }) => start);
  withStartWeights(stages, head, (tensors) => {
    const feeds = Object.fromEntries(weights.map(({ handle }, i) => [`${handle.node}/start`, tensors[i]!]));
    tf.dispose(session.run(starts, feeds));
  });
}

function batchFeeds({ input, labels, shares, masks }: FineTuningBatch): Record<string, Feed> {
  return {
    [fineTuningFeeds.input]: input,
    [fineTuningFeeds.labels]: labels,
    [fineTuningFeeds.shares]: shares,
    ...Object.fromEntries(masks.map((mask, layer) => [fineTuningFeeds.mask(layer), mask])),
  };
}

/** Kernel and bias of each layer in turn. */
function readPairs({ session, weights }: FineTuningGraph, first: number, end: number): ConvolutionWeights[] {
  const tensors = session.run(weights.slice(first, end).map(({ value }) => value));
  try {
    const arrays = tensors.map((tensor) => tensor.dataSync<"float32">());
    return Array.from({ length: arrays.length / 2 }, (_, i) => ({
      kernel: arrays[2 * i]!,
      bias: arrays[2 * i + 1]!,
    }));
  } finally {
    tf.dispose(tensors);
  }
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
  const { stageLearningRates, headLearningRate, ...given } = options;
  const graph = openFineTuningGraph({ stages, head: start, ...given });
  const { session, weights, sums } = graph;
  const rates = [...stageLearningRates, headLearningRate];
  const convolutions = stages.flatMap((stage) => stage.convolutions);
  const headFirst = 2 * convolutions.length;
  let steps = 0;
  /** Whether there are batches since the last step. */
  let summing = false;

  /** Logits of a batch, and what is done with it. */
  function runBatch(effect: GraphValue, feeds: Record<string, Feed>): tf.Tensor2D {
    const [logits, done] = session.run([graph.batchLogits, effect], feeds);
    done!.dispose();
    return logits as tf.Tensor2D;
  }

  function setSums(to: "start" | "end"): void {
    tf.dispose(session.run(sums.map((sum) => sum[to])));
    summing = to === "start";
  }

  function adamFeeds(learningRateFactor: number): Record<string, Feed> {
    steps++;
    const powers = adamPowers(steps);
    return Object.fromEntries(
      rates.map((rate, group) => [
        fineTuningFeeds.adam(group),
        { float32: Float32Array.of(rate * learningRateFactor, ...powers), shape: [3] },
      ]),
    );
  }

  function learn(batch: FineTuningBatch, learningRateFactor: number | null): tf.Tensor2D {
    const feeds = batchFeeds(batch);
    if (learningRateFactor === null) {
      if (!summing) setSums("start");
      return runBatch(graph.added, feeds);
    }
    const effect = graph.learned[summing ? "withSums" : "alone"];
    const logits = runBatch(effect, { ...feeds, ...adamFeeds(learningRateFactor) });
    if (summing) setSums("end");
    return logits;
  }

  try {
    startVariables(graph, stages, start);
  } catch (error) {
    session.dispose();
    throw error;
  }
  return {
    learn,
    logits: (input) => session.run([graph.logits], { [fineTuningFeeds.input]: input })[0] as tf.Tensor2D,
    isFinite() {
      const [sum] = session.run([graph.squareSum]);
      const value = sum!.dataSync()[0];
      sum!.dispose();
      return Number.isFinite(value);
    },
    gradients(batch) {
      const [logits, ...gradients] = session.run([graph.batchLogits, ...graph.gradients], batchFeeds(batch));
      return { logits: logits as tf.Tensor2D, gradients };
    },
    weightNames: weightNamesOf(stages, start),
    readStages() {
      const pairs = readPairs(graph, 0, headFirst);
      return new Map(convolutions.map(({ name }, i) => [name, pairs[i]!]));
    },
    readHead() {
      const pairs = readPairs(graph, headFirst, weights.length);
      return { layers: start.layers.map((layer, i) => ({ ...layer, ...pairs[i]! })) };
    },
    dispose: session.dispose,
  };
}
