import { type Head, headClassCount, headTensors } from "../../model/classifier/head";
import { areInMemory } from "../../model/features/feature-rows";
import { adamPowers } from "../../runtime/native/graph-variables";
import type { Feed, GraphValue } from "../../runtime/native/native-graph";
import { tf } from "../../runtime/tensorflow";
import type { BatchRows } from "./epoch-batches";
import { computeHeadGradients, type GradientMethod } from "./head-gradient";
import { FeatureFeeder, featureFeeds, type PartName, type StepParts } from "./training-features";
import { stepFeeds, type TrainingGraph, type TrainingGraphShape } from "./training-graph";
import { returnTrainingGraph, takeTrainingGraph } from "./training-graph-pool";

/** What decides how weights change. */
export interface TrainingStepOptions {
  /** Of every batch that is learned from. */
  batchSize: number;
  learningRate: number;
  /** Weight of the sum of squared kernels in the loss; biases are free. */
  l2: number;
  /** Whether batches have dropout masks. */
  masked: boolean;
  /** By default `computeHeadGradients`. */
  gradientMethod?: GradientMethod | undefined;
}

/** What a head says of both parts as it is, without dropout. */
export interface StepEvaluation {
  /** Shape [rows, classes], row by row, of each part. */
  logits: Record<PartName, Float32Array>;
  /** False if the loss of a batch was not a number, or infinite. */
  finite: boolean;
}

/** A head in training. Data and weights live in TensorFlow until `dispose`. */
export interface TrainingStep {
  /** Learns from one batch. */
  learn(batch: BatchRows): void;
  /** Waits for the device; once an epoch is enough. */
  evaluate(): StepEvaluation;
  /** The head as it is now, a copy. */
  readHead(): Head;
  dispose(): void;
}

function startVariables(graph: TrainingGraph, head: Head, parts: StepParts): void {
  const weights = headTensors(head);
  try {
    const feeds: Record<string, Feed> = {};
    for (const [name, { handle }] of Object.entries(graph.features)) {
      const { values, count, width } = parts[name as keyof StepParts]!;
      if (!areInMemory(values)) throw new Error(`The features of ${name} are too many to live in a session.`);
      feeds[`${handle.node}/start`] = { float32: values, shape: [count, width] };
    }
    for (const [i, { handle }] of graph.weights.entries()) feeds[`${handle.node}/start`] = weights[i]!;
    const starts = graph.variables.map(({ start }) => start);
    tf.dispose(graph.session.run(starts, feeds));
  } finally {
    tf.dispose(weights);
  }
}

function batchFeeds(
  { rows, labels, shares, masks }: BatchRows,
  feeder: FeatureFeeder | null,
): Record<string, Feed> {
  const size = rows.length;
  const feeds: Record<string, Feed> = {
    ...(feeder?.batchOf(rows) ?? { [featureFeeds.rows]: { int32: rows, shape: [size] } }),
    [stepFeeds.labels]: { int32: labels, shape: [size] },
    [stepFeeds.shares]: { float32: shares, shape: [size, 1] },
  };
  for (const [layer, mask] of masks.entries()) {
    feeds[stepFeeds.mask(layer)] = { float32: mask, shape: [size, mask.length / size] };
  }
  return feeds;
}

/** A head in training on a graph of its own, which goes back to the pool unless something failed half-way. */
class GraphTraining implements TrainingStep {
  private readonly graph: TrainingGraph;
  /** Where features don't live in the session. */
  private readonly feeder: FeatureFeeder | null;
  private steps = 0;
  private whole = true;

  constructor(
    private readonly head: Head,
    private readonly parts: StepParts,
    private readonly shape: TrainingGraphShape,
    private readonly learningRate: number,
  ) {
    this.feeder = shape.fed ? new FeatureFeeder(parts, shape.batchSize) : null;
    this.graph = takeTrainingGraph(shape);
    try {
      startVariables(this.graph, head, parts);
    } catch (error) {
      this.graph.session.dispose();
      throw error;
    }
  }

  learn(batch: BatchRows): void {
    this.guard(() => {
      this.steps++;
      const adam: Feed = {
        float32: Float32Array.of(this.learningRate, ...adamPowers(this.steps)),
        shape: [3],
      };
      const feeds = { ...batchFeeds(batch, this.feeder), [stepFeeds.adam]: adam };
      tf.dispose(this.graph.session.run([this.graph.learned], feeds));
    });
  }

  evaluate(): StepEvaluation {
    const { logits, lossSum } = this.graph;
    if (this.feeder !== null) return this.evaluateBlocks(this.feeder);
    const [train, validation, sum] = this.read([logits.train, logits.validation, lossSum]);
    return { logits: { train: train!, validation: validation! }, finite: Number.isFinite(sum![0]) };
  }

  readHead(): Head {
    const arrays = this.read(this.graph.weights.map(({ value }) => value));
    const layers = this.head.layers.map((layer, i) => ({
      ...layer,
      kernel: arrays[2 * i]!,
      bias: arrays[2 * i + 1]!,
    }));
    return { layers };
  }

  dispose(): void {
    const { session, variables } = this.graph;
    if (!this.whole) {
      session.dispose();
      return;
    }
    this.guard(() => tf.dispose(session.run(variables.map(({ end }) => end))));
    returnTrainingGraph(this.shape, this.graph);
  }

  private evaluateBlocks(feeder: FeatureFeeder): StepEvaluation {
    const evaluate = (part: PartName): Float32Array => {
      const logits = new Float32Array(this.parts[part].count * headClassCount(this.head));
      let filled = 0;
      for (const block of feeder.blocksOf(part)) {
        const [ofBlock] = this.read([this.graph.logits[part]], block);
        logits.set(ofBlock!, filled);
        filled += ofBlock!.length;
      }
      return logits;
    };
    const [sum] = this.read([this.graph.lossSum]);
    const logits = { train: evaluate("train"), validation: evaluate("validation") };
    return { logits, finite: Number.isFinite(sum![0]) };
  }

  private read(values: readonly GraphValue[], feeds: Record<string, Feed> = {}): Float32Array[] {
    return this.guard(() => {
      const tensors = this.graph.session.run(values, feeds);
      try {
        return tensors.map((tensor) => tensor.dataSync<"float32">());
      } finally {
        tf.dispose(tensors);
      }
    });
  }

  /** What failed half-way is not used again. */
  private guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.whole = false;
      throw error;
    }
  }
}

/**
 * Prepares a head for training with Adam on softmax cross-entropy. The head that is given stays as it is.
 *
 * @param parts - What is learned from, and what is only evaluated; with `views`, batches are rows of those.
 */
export function createTrainingStep(
  start: Head,
  parts: StepParts,
  options: TrainingStepOptions,
): TrainingStep {
  const { learningRate, gradientMethod = computeHeadGradients, batchSize, masked, l2 } = options;
  const widths = [start.layers[0]!.inputs, ...start.layers.map(({ units }) => units)];
  const viewed = parts.views !== undefined;
  const fed = Object.values(parts).some(({ values }) => !areInMemory(values));
  return new GraphTraining(
    start,
    parts,
    { widths, batchSize, masked, viewed, fed, l2, gradientMethod },
    learningRate,
  );
}
