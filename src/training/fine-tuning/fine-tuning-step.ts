import type { Convolution, ConvolutionWeights } from "../../model/backbones/convolutions";
import type { Stage } from "../../model/backbones/stages";
import type { Head } from "../../model/classifier/head";
import { adamPowers, type GraphVariable } from "../../runtime/native/graph-variables";
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

/** All that a training goes on from after a whole epoch: numbers in the order of the graph's variables. */
export interface StepState {
  /** Taken so far. */
  steps: number;
  weights: Float32Array[];
  /** Adam's. */
  moments: Float32Array[];
}

/** What decides how weights change. */
export interface FineTuningStepOptions extends Pick<FineTuningGraphShape, "inputShape" | "masked" | "l2"> {
  /** Of the trained stages, lowest first. */
  stageLearningRates: readonly number[];
  headLearningRate: number;
  /** What an earlier training came to; by default the weights of stages and head. */
  state?: StepState | undefined;
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
  /** Everything as it is now, to go on from; a copy. Not in the middle of a step. */
  readState(): StepState;
  dispose(): void;
}

const startName = ({ handle }: GraphVariable): string => `${handle.node}/start`;

const sizesOf = ({ shape }: GraphVariable): number[] => shape.map((size) => size ?? 1);

/** Numbers of variables, each fed as it was read. */
function feedsOf(variables: readonly GraphVariable[], values: readonly Float32Array[]): Record<string, Feed> {
  return Object.fromEntries(
    variables.map((variable, i) => [startName(variable), { float32: values[i]!, shape: sizesOf(variable) }]),
  );
}

function startVariables(
  { session, weights, moments }: FineTuningGraph,
  stages: readonly Stage[],
  head: Head,
  state: StepState | undefined,
): void {
  const starts = [...weights, ...moments].map(({ start }) => start);
  if (state !== undefined) {
    const feeds = { ...feedsOf(weights, state.weights), ...feedsOf(moments, state.moments) };
    tf.dispose(session.run(starts, feeds));
    return;
  }
  const zeros = moments.map(
    (moment) => new Float32Array(sizesOf(moment).reduce((product, size) => product * size, 1)),
  );
  withStartWeights(stages, head, (tensors) => {
    const begun = Object.fromEntries(weights.map((weight, i) => [startName(weight), tensors[i]!]));
    tf.dispose(session.run(starts, { ...begun, ...feedsOf(moments, zeros) }));
  });
}

/** Numbers of variables as they are now. */
function readAll({ session }: FineTuningGraph, variables: readonly GraphVariable[]): Float32Array[] {
  const tensors = session.run(variables.map(({ value }) => value));
  try {
    return tensors.map((tensor) => tensor.dataSync<"float32">());
  } finally {
    tf.dispose(tensors);
  }
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

/** Stages and a head in training on a graph of their own. */
class GraphFineTuning implements FineTuningStep {
  readonly weightNames: readonly string[];
  private readonly graph: FineTuningGraph;
  private readonly head: Head;
  private readonly convolutions: readonly Convolution[];
  private steps: number;
  /** Whether there are batches since the last step. */
  private summing = false;

  /**
   * @param rates - Of the stages, lowest first, and of the head.
   * @param state - To go on from; none begins with the weights of stages and head.
   */
  constructor(
    shape: FineTuningGraphShape,
    private readonly rates: readonly number[],
    state: StepState | undefined,
  ) {
    const { stages, head } = shape;
    this.graph = openFineTuningGraph(shape);
    this.convolutions = stages.flatMap((stage) => stage.convolutions);
    this.weightNames = weightNamesOf(stages, head);
    this.head = head;
    this.steps = state?.steps ?? 0;
    try {
      startVariables(this.graph, stages, head, state);
    } catch (error) {
      this.graph.session.dispose();
      throw error;
    }
  }

  learn(batch: FineTuningBatch, learningRateFactor: number | null): tf.Tensor2D {
    const { added, learned } = this.graph;
    const feeds = batchFeeds(batch);
    if (learningRateFactor === null) {
      if (!this.summing) this.setSums("start");
      return this.runBatch(added, feeds);
    }
    const effect = learned[this.summing ? "withSums" : "alone"];
    const logits = this.runBatch(effect, { ...feeds, ...this.adamFeeds(learningRateFactor) });
    if (this.summing) this.setSums("end");
    return logits;
  }

  logits(input: tf.Tensor4D): tf.Tensor2D {
    const { session, logits } = this.graph;
    return session.run([logits], { [fineTuningFeeds.input]: input })[0] as tf.Tensor2D;
  }

  isFinite(): boolean {
    const [sum] = this.graph.session.run([this.graph.squareSum]);
    const value = sum!.dataSync()[0];
    sum!.dispose();
    return Number.isFinite(value);
  }

  gradients(batch: FineTuningBatch): { logits: tf.Tensor2D; gradients: tf.Tensor[] } {
    const { session, batchLogits, gradients: wanted } = this.graph;
    const [logits, ...gradients] = session.run([batchLogits, ...wanted], batchFeeds(batch));
    return { logits: logits as tf.Tensor2D, gradients };
  }

  readStages(): Map<string, ConvolutionWeights> {
    const pairs = readPairs(this.graph, 0, 2 * this.convolutions.length);
    return new Map(this.convolutions.map(({ name }, i) => [name, pairs[i]!]));
  }

  readHead(): Head {
    const pairs = readPairs(this.graph, 2 * this.convolutions.length, this.graph.weights.length);
    return { layers: this.head.layers.map((layer, i) => ({ ...layer, ...pairs[i]! })) };
  }

  readState(): StepState {
    const { weights, moments } = this.graph;
    return {
      steps: this.steps,
      weights: readAll(this.graph, weights),
      moments: readAll(this.graph, moments),
    };
  }

  dispose(): void {
    this.graph.session.dispose();
  }

  /** Logits of a batch, and what is done with it. */
  private runBatch(effect: GraphValue, feeds: Record<string, Feed>): tf.Tensor2D {
    const [logits, done] = this.graph.session.run([this.graph.batchLogits, effect], feeds);
    done!.dispose();
    return logits as tf.Tensor2D;
  }

  private setSums(to: "start" | "end"): void {
    tf.dispose(this.graph.session.run(this.graph.sums.map((sum) => sum[to])));
    this.summing = to === "start";
  }

  private adamFeeds(learningRateFactor: number): Record<string, Feed> {
    this.steps++;
    const powers = adamPowers(this.steps);
    return Object.fromEntries(
      this.rates.map((rate, group) => [
        fineTuningFeeds.adam(group),
        { float32: Float32Array.of(rate * learningRateFactor, ...powers), shape: [3] },
      ]),
    );
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
  const { stageLearningRates, headLearningRate, state, ...given } = options;
  const rates = [...stageLearningRates, headLearningRate];
  return new GraphFineTuning({ stages, head: start, ...given }, rates, state);
}
