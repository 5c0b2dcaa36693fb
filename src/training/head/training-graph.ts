import { headLogits } from "../../model/classifier/head";
import type { GraphShape } from "../../runtime/native/graph-def";
import {
  addAdam,
  addVariable,
  type GraphAdam,
  type GraphVariable,
} from "../../runtime/native/graph-variables";
import {
  createGraph,
  type GraphValue,
  type NativeGraph,
  type NativeSession,
} from "../../runtime/native/native-graph";
import { type TracedInput, traceInto } from "../../runtime/native/native-trace";
import { tf } from "../../runtime/tensorflow";
import type { GradientMethod, TrainingBatch } from "./head-gradient";
import {
  addFedFeatures,
  addHeldFeatures,
  type FeatureInput,
  type GraphFeatures,
  type PartName,
} from "./training-features";

/** What a training's graph depends on; how many images there are is not part of it. */
export interface TrainingGraphShape {
  /** Of the features, of the hidden layers, and the number of classes. */
  widths: readonly number[];
  batchSize: number;
  /** Whether there are dropout masks. */
  masked: boolean;
  /** Whether batches are of further views of the training images, and not only of those that are evaluated. */
  viewed: boolean;
  /** Whether features are fed with each batch, instead of living in the session. */
  fed: boolean;
  l2: number;
  gradientMethod: GradientMethod;
}

/** A training's graph in TensorFlow: the whole of a step, and of an evaluation, is one call. */
export interface TrainingGraph {
  session: NativeSession;
  /** Kernel and bias of each layer in turn; fed at the start. */
  weights: readonly GraphVariable[];
  features: GraphFeatures["held"];
  /** All that lives in the session, to be started and ended together. */
  variables: readonly GraphVariable[];
  /** To be fetched with a batch fed: learns from it. */
  learned: GraphValue;
  /** Shape [rows, classes], without dropout; of what is fed where features are. */
  logits: Readonly<Record<PartName, GraphValue>>;
  /** Sum of the cross-entropies of all batches so far; only whether it is a number means anything. */
  lossSum: GraphValue;
}

/** Names of the placeholders of a step. */
export const stepFeeds = {
  labels: "labels",
  shares: "shares",
  /** Learning rate and the powers of Adam's decays. */
  adam: "adam-step",
  mask: (layer: number): string => `mask-${layer}`,
} as const;

const float = { type: "float32" } as const;
const int = { type: "int32" } as const;

function addWeights(graph: NativeGraph, widths: readonly number[]): GraphVariable[] {
  return widths.slice(1).flatMap((units, i) => {
    const name = i === widths.length - 2 ? "classes" : `dense-${i + 1}`;
    return [
      addVariable(graph, `${name}/kernel`, [widths[i]!, units], "feed"),
      addVariable(graph, `${name}/bias`, [units], "feed"),
    ];
  });
}

/** Stands tensors in for values of the graph, so that what is done with the tensors can be traced. */
function standIn(values: readonly { value: GraphValue; shape: GraphShape; type?: "int32" }[]): TracedInput[] {
  return values.map(({ value, shape, type }) => {
    const sizes = shape.map((size) => size ?? 1);
    return { value, tensor: type === undefined ? tf.zeros(sizes) : tf.zeros(sizes, type) };
  });
}

function addLogits(
  graph: NativeGraph,
  name: string,
  features: FeatureInput,
  weights: readonly GraphVariable[],
): GraphValue {
  const inputs = standIn([features, ...weights]);
  const [batch, ...tensors] = inputs.map(({ tensor }) => tensor);
  try {
    const work = () => [tf.tidy(() => headLogits(tensors, batch as tf.Tensor2D))];
    return traceInto(graph, `${name}-logits`, inputs, work)[0]!;
  } finally {
    tf.dispose([batch!, ...tensors]);
  }
}

/** Adds the placeholders of a batch, with tensors that stand in for them. */
function addBatch(graph: NativeGraph, features: GraphValue, shape: TrainingGraphShape) {
  const { widths, batchSize, masked } = shape;
  const placeholder = (name: string, sizes: number[]) => ({
    value: graph.placeholder(name, "float32", sizes),
    shape: sizes,
  });
  const labels = graph.placeholder(stepFeeds.labels, "int32", [batchSize]);
  const maskWidths = masked ? widths.slice(1, -1) : [];
  const inputs = standIn([
    { value: features, shape: [batchSize, widths[0]!] },
    { value: labels, shape: [batchSize], type: "int32" },
    placeholder(stepFeeds.shares, [batchSize, 1]),
    ...maskWidths.map((units, i) => placeholder(stepFeeds.mask(i), [batchSize, units])),
  ]);
  const [featuresStandIn, labelsStandIn, sharesStandIn, ...masks] = inputs.map(({ tensor }) => tensor);
  const batch = {
    features: featuresStandIn,
    labels: labelsStandIn,
    shares: sharesStandIn,
    masks,
  } as TrainingBatch;
  return { batch, inputs };
}

/** Adds what happens at a step: the node that changes each of the weights, and the cross-entropies. */
function addStep(
  graph: NativeGraph,
  features: GraphValue,
  weights: readonly GraphVariable[],
  adam: GraphAdam,
  shape: TrainingGraphShape,
): { updates: GraphValue[]; crossEntropies: GraphValue } {
  const { batch, inputs } = addBatch(graph, features, shape);
  const weightInputs = standIn(weights);
  const tensors = weightInputs.map(({ tensor }) => tensor);
  try {
    const traced = traceInto(graph, "step", [...inputs, ...weightInputs], () => {
      const result = shape.gradientMethod(tensors, batch, shape.l2);
      return [result.crossEntropies, ...result.gradients];
    });
    const [crossEntropies, ...gradients] = traced;
    const updates = weights.map((variable, i) =>
      adam.update(variable, `${variable.handle.node}/update`, gradients[i]!),
    );
    return { updates, crossEntropies: crossEntropies! };
  } finally {
    tf.dispose([...inputs, ...weightInputs].map(({ tensor }) => tensor));
  }
}

/** Adds up the losses in the session: reading them at each step would make a GPU wait. */
function addLossSum(graph: NativeGraph, crossEntropies: GraphValue) {
  const sum = addVariable(graph, "loss-sum", [], "zeros");
  const axis = graph.constant("loss-axis", Int32Array.of(0), [1]);
  const batchSum = graph.add("batch-loss", "Sum", [crossEntropies, axis], {
    attributes: { T: float, Tidx: int },
  });
  const added = graph.add("add-loss", "AssignAddVariableOp", [sum.handle, batchSum], {
    attributes: { dtype: float },
  });
  return { sum, added };
}

/** Describes the whole of training to TensorFlow; whoever opens a graph disposes its session. */
export function openTrainingGraph(shape: TrainingGraphShape): TrainingGraph {
  const graph = createGraph();
  const sizes = { ...shape, width: shape.widths[0]! };
  const features = shape.fed ? addFedFeatures(graph, sizes) : addHeldFeatures(graph, sizes);
  const weights = addWeights(graph, shape.widths);
  const adam = addAdam(graph, "adam", graph.placeholder(stepFeeds.adam, "float32", [3]));
  const { updates, crossEntropies } = addStep(graph, features.batch, weights, adam, shape);
  const losses = addLossSum(graph, crossEntropies);
  const learned = graph.effectOf("learned", [...updates, losses.added]);
  const { train, validation } = features.evaluated;
  const ofTrain = addLogits(graph, "train", train, weights);
  const logits = {
    train: ofTrain,
    validation: shape.fed ? ofTrain : addLogits(graph, "validation", validation, weights),
  };
  return {
    session: graph.open(),
    weights,
    features: features.held,
    variables: [...Object.values(features.held), ...weights, ...adam.moments, losses.sum],
    learned,
    logits,
    lossSum: losses.sum.value,
  };
}
