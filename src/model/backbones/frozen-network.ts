import { currentArithmetic } from "../../runtime/device/arithmetic";
import type { GraphAttribute } from "../../runtime/native/graph-def";
import {
  createGraph,
  type GraphValue,
  type NativeGraph,
  type NativeSession,
} from "../../runtime/native/native-graph";
import type { tf } from "../../runtime/tensorflow";
import { checkImageShape, type OpenBackbone, type PixelBatch } from "./architecture";
import { type GraphNode, imageNode, type NetworkGraph } from "./network-graph";

const float: GraphAttribute = { type: "float32" };
const index: GraphAttribute = { type: "int32" };
const activations = { linear: null, relu: "Relu", relu6: "Relu6" } as const;

/** What a network computes in: weights and all between pixels and pooling. */
type Precision = "float32" | "bfloat16";

/** A graph that is described in one precision. */
interface Draft {
  graph: NativeGraph;
  precision: Precision;
}

function cast(
  graph: NativeGraph,
  name: string,
  value: GraphValue,
  from: Precision,
  to: Precision,
): GraphValue {
  if (from === to) return value;
  return graph.add(name, "Cast", [value], { attributes: { SrcT: { type: from }, DstT: { type: to } } });
}

/** Adds nodes to a native graph, and names them after the network's node that they are part of. */
function nodesOf({ graph, precision }: Draft, { name }: GraphNode) {
  const full = (part: string): string => `${name}/${part}`;
  const type: GraphAttribute = { type: precision };
  const add = (
    operation: string,
    inputs: readonly GraphValue[],
    attributes: Record<string, GraphAttribute> = {},
  ): GraphValue => graph.add(full(operation), operation, inputs, { attributes: { T: type, ...attributes } });
  return {
    add,
    constant(part: string, values: Float32Array | Int32Array, shape: readonly number[]): GraphValue {
      const value = graph.constant(full(part), values, shape);
      if (values instanceof Int32Array) return value;
      // TensorFlow does it once, when it loads the graph.
      return cast(graph, full(`${part}/${precision}`), value, "float32", precision);
    },
    activate(input: GraphValue, activation: keyof typeof activations): GraphValue {
      const operation = activations[activation];
      return operation === null ? input : add(operation, [input]);
    },
  };
}

type Convolving = Extract<GraphNode, { kind: "convolve" | "convolveDepthwise" }>;
type Adding = Extract<GraphNode, { kind: "add" }>;

/** How a convolution goes over its input. */
const steppingOf = ({ stride, padding }: Convolving): Record<string, GraphAttribute> => ({
  strides: { ints: [1, stride, stride, 1] },
  padding: { text: padding.toUpperCase() },
});

function addConvolution(draft: Draft, node: Convolving, input: GraphValue): GraphValue {
  const { add, constant, activate } = nodesOf(draft, node);
  const { kernel, kernelShape, bias } = node;
  const operation = node.kind === "convolve" ? "Conv2D" : "DepthwiseConv2dNative";
  const convolved = add(operation, [input, constant("kernel", kernel, kernelShape)], steppingOf(node));
  // TensorFlow fuses the three into one.
  return activate(add("BiasAdd", [convolved, constant("bias", bias, [bias.length])]), node.activation);
}

/** The last convolution before an addition, and the name of what its result is added to. */
interface Fusion {
  convolution: Convolving;
  shortcut: string;
}

/** Of each addition, the convolution whose result nobody else takes: it can add to its own what was there before. */
function findFusions(network: NetworkGraph): Map<GraphNode, Fusion> {
  const takenOnce = ({ name }: GraphNode): boolean =>
    network.filter(({ inputs }) => inputs.includes(name)).length === 1;
  const fusions = new Map<GraphNode, Fusion>();
  for (const node of network.filter(({ kind }) => kind === "add")) {
    const convolution = network
      .filter((other): other is Convolving => other.kind === "convolve" && node.inputs.includes(other.name))
      .at(-1);
    const shortcut = node.inputs.find((name) => name !== convolution?.name);
    if (convolution?.activation === "linear" && takenOnce(convolution) && shortcut !== undefined) {
      fusions.set(node, { convolution, shortcut });
    }
  }
  return fusions;
}

/** Convolves, adds and activates in one pass over memory: oneDNN can, but TensorFlow doesn't ask it by itself. */
function addFused(
  draft: Draft,
  node: Adding,
  convolution: Convolving,
  { input, shortcut }: { input: GraphValue; shortcut: GraphValue },
): GraphValue {
  const { add, constant } = nodesOf(draft, node);
  const { kernel, kernelShape, bias } = convolution;
  const weights = [constant("kernel", kernel, kernelShape), constant("bias", bias, [bias.length])];
  const activation = activations[node.activation];
  const native = draft.precision === "bfloat16";
  // In bfloat16, the fused operation is only there under the name that TensorFlow itself gives it later.
  return add(native ? "_MklNativeFusedConv2D" : "_FusedConv2D", [input, ...weights, shortcut], {
    ...steppingOf(convolution),
    ...(native ? { _kernel: { text: "MklNameChangeOp" } } : {}),
    num_args: { int: 2 },
    TArgs: { types: [draft.precision, draft.precision] },
    fused_ops: { texts: ["BiasAdd", "Add", ...(activation === null ? [] : [activation])] },
  });
}

/** In float32, since half of what a pixel says would be lost in 8 bits of mantissa; its result alone is rounded. */
function addRescaling(draft: Draft, node: GraphNode & { kind: "rescale" }, input: GraphValue) {
  const { graph, precision } = draft;
  const { add, constant } = nodesOf({ graph, precision: "float32" }, node);
  const { scale, offsets } = node;
  const scaled = scale === 1 ? input : add("Mul", [input, constant("scale", Float32Array.of(scale), [])]);
  const centred = add("AddV2", [scaled, constant("offsets", Float32Array.from(offsets), [offsets.length])]);
  return cast(graph, `${node.name}/${precision}`, centred, "float32", precision);
}

function addNode(draft: Draft, node: GraphNode, inputs: readonly GraphValue[]): GraphValue {
  const { add, constant, activate } = nodesOf(draft, node);
  const [input] = inputs as [GraphValue];
  switch (node.kind) {
    case "rescale":
      return addRescaling(draft, node, input);
    case "convolve":
    case "convolveDepthwise":
      return addConvolution(draft, node, input);
    case "pad": {
      const sides = [0, 0, node.pixels, node.pixels, node.pixels, node.pixels, 0, 0];
      return add("Pad", [input, constant("sides", Int32Array.from(sides), [4, 2])], { Tpaddings: index });
    }
    case "poolLargest":
      return add("MaxPool", [input], {
        ksize: { ints: [1, node.window, node.window, 1] },
        strides: { ints: [1, node.stride, node.stride, 1] },
        padding: { text: "VALID" },
      });
    case "add":
      return activate(add("AddV2", inputs), node.activation);
    case "poolGlobally": {
      const { graph, precision } = draft;
      const exact = nodesOf({ graph, precision: "float32" }, node);
      const axes = exact.constant("axes", Int32Array.of(1, 2), [2]);
      const values = cast(graph, `${node.name}/float32`, input, precision, "float32");
      return exact.add("Mean", [values, axes], { Tidx: index });
    }
    default:
      throw new Error(`A backbone has no "${node.kind}".`);
  }
}

/** @param fusing - Whether convolutions add; not every processor's TensorFlow can do that. */
function describeGraph(network: NetworkGraph, inputSize: number, fusing: boolean, precision: Precision) {
  const graph = createGraph();
  const draft: Draft = { graph, precision };
  const pixels = graph.placeholder("pixels", "uint8", [null, inputSize, inputSize, 3]);
  const images = graph.add(imageNode, "Cast", [pixels], {
    attributes: { SrcT: { type: "uint8" }, DstT: float },
  });
  const values = new Map([[imageNode, images]]);
  const valueBehind = (name: string) => values.get(name)!;
  const fusions = fusing ? findFusions(network) : new Map<GraphNode, Fusion>();
  const fused = new Set<GraphNode>([...fusions.values()].map(({ convolution }) => convolution));
  const pooled: GraphNode = { kind: "poolGlobally", name: "features", inputs: [network.at(-1)!.name] };
  for (const node of [...network, pooled].filter((node) => !fused.has(node))) {
    const fusion = fusions.get(node);
    if (fusion === undefined) {
      values.set(node.name, addNode(draft, node, node.inputs.map(valueBehind)));
    } else {
      const { convolution, shortcut } = fusion;
      const inputs = { input: valueBehind(convolution.inputs[0]!), shortcut: valueBehind(shortcut) };
      values.set(node.name, addFused(draft, node as Adding, convolution, inputs));
    }
  }
  return { graph, features: valueBehind(pooled.name) };
}

/** Both ways of a backbone to compute features, and what frees the memory behind them. */
export type FrozenNetwork = Required<Pick<OpenBackbone, "embed" | "embedPixels" | "dispose">>;

/**
 * A network in TensorFlow as one graph, its weights constants that TensorFlow may rearrange as it likes: half as
 * fast again as operation by operation, with the same bits.
 *
 * It takes the weights' memory once more, so it is built when it is first used.
 *
 * @param describe - Gives the network up to the activations that are pooled.
 */
export function freezeNetwork(describe: () => NetworkGraph, inputSize: number): FrozenNetwork {
  const graphs = new OpenGraphs(describe, inputSize);
  const embedPixels = (batch: PixelBatch): tf.Tensor2D => {
    checkImageShape(batch.shape, inputSize);
    // Asked each time: the cache's keys say what the process computes in at that moment.
    return runGraph(graphs.of(currentArithmetic() === "bfloat16" ? "bfloat16" : "float32"), batch);
  };
  return {
    embedPixels,
    embed(images) {
      checkImageShape(images.shape, inputSize);
      return embedPixels({ pixels: Uint8Array.from(images.dataSync()), shape: images.shape });
    },
    dispose: () => graphs.dispose(),
  };
}

interface OpenGraph {
  session: NativeSession;
  features: GraphValue;
}

const runGraph = ({ session, features }: OpenGraph, { pixels, shape }: PixelBatch): tf.Tensor2D =>
  session.run([features], { pixels: { uint8: pixels, shape } })[0] as tf.Tensor2D;

/** A network's graphs, one for each precision that was asked for. */
class OpenGraphs {
  private readonly opened = new Map<Precision, OpenGraph>();

  constructor(
    private readonly describe: () => NetworkGraph,
    private readonly inputSize: number,
  ) {}

  of(precision: Precision): OpenGraph {
    const graph = this.opened.get(precision) ?? this.openQuickest(precision);
    this.opened.set(precision, graph);
    return graph;
  }

  dispose(): void {
    for (const { session } of this.opened.values()) session.dispose();
    this.opened.clear();
  }

  /** What can't be done as it is asked is told when it is loaded or first runs: on GPUs, and where oneDNN is off. */
  private openQuickest(precision: Precision): OpenGraph {
    let quickest: OpenGraph | null = null;
    try {
      quickest = this.open(true, precision);
      const shape: PixelBatch["shape"] = [1, this.inputSize, this.inputSize, 3];
      runGraph(quickest, { pixels: new Uint8Array(this.inputSize ** 2 * 3), shape }).dispose();
      return quickest;
    } catch {
      quickest?.session.dispose();
      return this.open(false, precision);
    }
  }

  private open(fusing: boolean, precision: Precision): OpenGraph {
    const { graph, features } = describeGraph(this.describe(), this.inputSize, fusing, precision);
    return { session: graph.open(), features };
  }
}
