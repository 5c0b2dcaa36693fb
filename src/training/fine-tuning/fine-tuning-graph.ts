import type { Convolution } from "../../model/backbones/convolutions";
import { runOnTape, type Stage, type WeightsOf } from "../../model/backbones/stages";
import { type Head, headTensors } from "../../model/classifier/head";
import type { GraphShape } from "../../runtime/native/graph-def";
import { addAdam, addVariable, type GraphVariable } from "../../runtime/native/graph-variables";
import type { NativeId } from "../../runtime/native/native-backend";
import {
  createGraph,
  type GraphValue,
  type NativeGraph,
  type NativeSession,
} from "../../runtime/native/native-graph";
import { typeAttribute, withNativeScope } from "../../runtime/native/native-ops";
import { createTape, type Tape, type TapeValue } from "../../runtime/native/native-tape";
import { type TracedInput, traceInto } from "../../runtime/native/native-trace";
import { tf } from "../../runtime/tensorflow";
import { headOnTape, weightedCrossEntropy } from "../head/head-tape";

/** What a fine-tuning's graph computes; how many images there are in a batch is not part of it. */
export interface FineTuningGraphShape {
  /** Lowest first. */
  stages: readonly Stage[];
  head: Head;
  /** Of one image's input of the lowest stage: [height, width, channels]. */
  inputShape: readonly [number, number, number];
  /** Whether there are dropout masks. */
  masked: boolean;
  /** Weight of the head's squared kernels in the loss. */
  l2: number;
}

/** Names of a step's placeholders. */
export const fineTuningFeeds = {
  input: "input",
  labels: "labels",
  shares: "shares",
  mask: (layer: number): string => `mask-${layer}`,
  /** Learning rate and the powers of Adam's decays, of a stage, or, counted on, of the head. */
  adam: (group: number): string => `adam-step-${group}`,
} as const;

/** Stages and a head in TensorFlow: learning from a batch is one call. */
export interface FineTuningGraph {
  session: NativeSession;
  /** Kernel and bias of each convolution in turn, then of each layer of the head; fed at the start. */
  weights: readonly GraphVariable[];
  /** To be started once, fed; Adam begins with zeros. */
  moments: readonly GraphVariable[];
  /** Gradients of a step's batches but the last, one a weight; to be started and ended with each step that has several. */
  sums: readonly GraphVariable[];
  /** Shape [n, classes], of a batch and before it is learned from. */
  batchLogits: GraphValue;
  /** Of a batch, one a weight, without the L2 penalty. */
  gradients: readonly GraphValue[];
  /** To be fetched with a batch fed: adds its gradients to the sums. */
  added: GraphValue;
  /** To be fetched with a batch and Adam's numbers fed: changes the weights by it, alone or along with the sums. */
  learned: Readonly<Record<"alone" | "withSums", GraphValue>>;
  /** Shape [n, classes], with only the input fed: without dropout. */
  logits: GraphValue;
  /** Of all weights together; only whether it is a number means anything. */
  squareSum: GraphValue;
}

const float = { type: "float32" } as const;

/** A placeholder with a tensor in its stead, in which sizes that are not known are 1; the caller disposes. */
function addFed(
  graph: NativeGraph,
  name: string,
  shape: GraphShape,
  type: "float32" | "int32" = "float32",
): TracedInput {
  const value = graph.placeholder(name, type, shape);
  const sizes = shape.map((size) => size ?? 1);
  return { value, tensor: tf.zeros(sizes, type) };
}

/** Stages, pooling and head: logits of shape [n, classes]. */
function networkOnTape(
  tape: Tape,
  stages: readonly Stage[],
  leaves: readonly TapeValue[],
  { input, masks }: { input: NativeId; masks: readonly NativeId[] },
): TapeValue {
  const convolutions = stages.flatMap((stage) => stage.convolutions);
  const place = new Map<Convolution, number>(convolutions.map((convolution, i) => [convolution, 2 * i]));
  const weightsOf: WeightsOf = (convolution) => {
    const first = place.get(convolution)!;
    return { kernel: leaves[first]!, bias: leaves[first + 1]! };
  };
  const last = runOnTape(tape, stages, weightsOf, input);
  return headOnTape(tape, leaves.slice(2 * convolutions.length), tape.poolMean(last), masks);
}

interface Batch {
  input: TracedInput;
  labels: TracedInput;
  shares: TracedInput;
  masks: readonly TracedInput[];
}

/** Adds a batch's logits and gradients, which are traced on a single image. */
function addGradients(
  graph: NativeGraph,
  stages: readonly Stage[],
  weights: readonly TracedInput[],
  { input, labels, shares, masks }: Batch,
): { batchLogits: GraphValue; gradients: GraphValue[] } {
  const inputs = [input, labels, shares, ...masks, ...weights];
  const [batchLogits, ...gradients] = traceInto(graph, "batch", inputs, () =>
    withNativeScope((scope) => {
      const idOf = ({ tensor }: TracedInput) => scope.input(tensor);
      const tape = createTape(scope);
      const leaves = weights.map((weight) => tape.leaf(idOf(weight), true));
      const fed = { input: idOf(input), masks: masks.map(idOf) };
      const logits = networkOnTape(tape, stages, leaves, fed);
      // The way back frees the logits themselves.
      const copy = scope.run("Identity", [typeAttribute("T")], [logits.id]);
      const { losses, slope } = weightedCrossEntropy(scope, logits.id, idOf(labels), idOf(shares));
      scope.free(losses);
      const slopes = tape.backward(logits, slope);
      return [copy, ...leaves.map((leaf) => slopes.get(leaf)!)].map(scope.toTensor);
    }),
  );
  return { batchLogits: batchLogits!, gradients };
}

/** Adds logits without dropout. */
function addLogits(
  graph: NativeGraph,
  stages: readonly Stage[],
  weights: readonly TracedInput[],
  input: TracedInput,
): GraphValue {
  const traced = traceInto(graph, "logits", [input, ...weights], () =>
    withNativeScope((scope) => {
      const tape = createTape(scope);
      const leaves = weights.map(({ tensor }) => tape.leaf(scope.input(tensor), false));
      const fed = { input: scope.input(input.tensor), masks: [] };
      return [scope.toTensor(networkOnTape(tape, stages, leaves, fed).id)];
    }),
  );
  return traced[0]!;
}

function addSquareSum(graph: NativeGraph, weights: readonly GraphVariable[]): GraphValue {
  const squares = weights.map(({ handle, value }) =>
    graph.add(`squares/${handle.node}`, "L2Loss", [value], { attributes: { T: float } }),
  );
  return graph.add("square-sum", "AddN", squares, { attributes: { T: float, N: { int: squares.length } } });
}

/** Names of the weights of a fine-tuning, for example "conv5_block1_1_conv/kernel" and "head/0/kernel". */
export function weightNamesOf(stages: readonly Stage[], head: Head): string[] {
  const convolutions = stages.flatMap((stage) => stage.convolutions);
  const layers = [...convolutions.map(({ name }) => name), ...head.layers.map((_, i) => `head/${i}`)];
  return layers.flatMap((name) => [`${name}/kernel`, `${name}/bias`]);
}

/** Lends the weights that stages and a head begin with, in the order of `weightNamesOf`. */
export function withStartWeights<T>(
  stages: readonly Stage[],
  head: Head,
  work: (weights: readonly tf.Tensor[]) => T,
): T {
  const headStart = headTensors(head);
  const convolutions = stages.flatMap((stage) => stage.convolutions);
  try {
    return work([...convolutions.flatMap(({ kernel, bias }) => [kernel, bias]), ...headStart]);
  } finally {
    tf.dispose(headStart);
  }
}

/** Adds the slopes of the L2 penalty, which the head's kernels alone pay; null for all other weights. */
function addPenalties(
  graph: NativeGraph,
  weights: readonly GraphVariable[],
  backboneWeights: number,
  l2: number,
): (GraphValue | null)[] {
  const factor = graph.constant("penalty-factor", Float32Array.of(2 * l2), []);
  return weights.map(({ handle, value }, i) => {
    const isHeadKernel = i >= backboneWeights && i % 2 === 0;
    if (l2 === 0 || !isHeadKernel) return null;
    return graph.add(`penalty/${handle.node}`, "Mul", [factor, value], { attributes: { T: float } });
  });
}

/** Adds what learns: the sums of gradients, and Adam with a learning rate for each group of weights. */
function addLearning(
  graph: NativeGraph,
  weights: readonly GraphVariable[],
  gradients: readonly GraphValue[],
  { stages, l2 }: FineTuningGraphShape,
): Pick<FineTuningGraph, "moments" | "sums" | "added" | "learned"> {
  const nameOf = ({ handle }: GraphVariable) => handle.node;
  const sums = weights.map((weight) => addVariable(graph, `sum/${nameOf(weight)}`, weight.shape, "zeros"));
  const additions = sums.map(({ handle }, i) =>
    graph.add(`add/${nameOf(weights[i]!)}`, "AssignAddVariableOp", [handle, gradients[i]!], {
      attributes: { dtype: float },
    }),
  );
  const plus = (name: string, a: GraphValue, b: GraphValue) =>
    graph.add(name, "AddV2", [a, b], { attributes: { T: float } });
  const groups = stages.flatMap(({ convolutions }, group) => convolutions.flatMap(() => [group, group]));
  const penalties = addPenalties(graph, weights, groups.length, l2);
  const adams = [...stages.keys(), stages.length].map((group) =>
    addAdam(graph, `adam-${group}`, graph.placeholder(fineTuningFeeds.adam(group), "float32", [3]), "feed"),
  );
  const learnFrom = (how: string, slopes: readonly GraphValue[]) =>
    graph.effectOf(
      `learned-${how}`,
      weights.map((weight, i) => {
        const name = `${how}/${nameOf(weight)}`;
        const penalty = penalties[i]!;
        const slope = penalty === null ? slopes[i]! : plus(`${name}/penalized`, slopes[i]!, penalty);
        const readers = graph.takersOf(weight.value, { neededBy: slope });
        return adams[groups[i] ?? stages.length]!.update(weight, `${name}/update`, slope, readers);
      }),
    );
  const learned = {
    alone: learnFrom("alone", gradients),
    withSums: learnFrom(
      "with-sums",
      sums.map(({ value }, i) => plus(`sum/${nameOf(weights[i]!)}/all`, value, gradients[i]!)),
    ),
  };
  const added = graph.effectOf("added", additions);
  return { moments: adams.flatMap(({ moments }) => moments), sums, added, learned };
}

/**
 * Describes fine-tuning to TensorFlow, by going through it once with a single black image; whoever opens a graph
 * disposes its session. The weights of the stages and of the head give no more than their shapes.
 */
export function openFineTuningGraph(shape: FineTuningGraphShape): FineTuningGraph {
  const { stages, head, inputShape, masked } = shape;
  const graph = createGraph();
  const names = weightNamesOf(stages, head);
  const hidden = masked ? head.layers.slice(0, -1) : [];
  const batch = {
    input: addFed(graph, fineTuningFeeds.input, [null, ...inputShape]),
    labels: addFed(graph, fineTuningFeeds.labels, [null], "int32"),
    shares: addFed(graph, fineTuningFeeds.shares, [null, 1]),
    masks: hidden.map(({ units }, i) => addFed(graph, fineTuningFeeds.mask(i), [null, units])),
  };
  try {
    return withStartWeights(stages, head, (tensors) => {
      const weights = tensors.map((tensor, i) => addVariable(graph, names[i]!, tensor.shape, "feed"));
      const traced = weights.map(({ value }, i) => ({ value, tensor: tensors[i]! }));
      const { batchLogits, gradients } = addGradients(graph, stages, traced, batch);
      const learning = addLearning(graph, weights, gradients, shape);
      // Last, as updates wait for every reader of the weights that is there before them.
      const logits = addLogits(graph, stages, traced, batch.input);
      const squareSum = addSquareSum(graph, weights);
      return { session: graph.open(), weights, batchLogits, gradients, ...learning, logits, squareSum };
    });
  } finally {
    const { input, labels, shares, masks } = batch;
    tf.dispose([input, labels, shares, ...masks].map(({ tensor }) => tensor));
  }
}
