import { type GraphNode, imageNode, type NetworkGraph } from "../model/backbones/network-graph";
import { tf } from "../runtime/tensorflow";

type SymbolicTensor = tf.SymbolicTensor;

/** Layers start with what is in `weights`; drawing random numbers first would only take time. */
const initialisers = { kernelInitializer: "zeros", biasInitializer: "zeros" } as const;

/** TensorFlow.js has no `relu6` for layers: there the bound is a layer of its own. */
const fusedActivation = (activation: "linear" | "relu" | "relu6"): "linear" | "relu" =>
  activation === "relu" ? "relu" : "linear";

function convolutionLayer(node: GraphNode & { kind: "convolve" | "convolveDepthwise" }) {
  const [height = 1, width = 1, , outputs = 1] = node.kernelShape;
  const shared = {
    name: node.name,
    kernelSize: [height, width] as [number, number],
    strides: node.stride,
    padding: node.padding,
    activation: fusedActivation(node.activation),
    weights: [tf.tensor(node.kernel, node.kernelShape), tf.tensor1d(node.bias)],
    trainable: false,
  };
  return node.kind === "convolve"
    ? tf.layers.conv2d({ ...initialisers, ...shared, filters: outputs })
    : tf.layers.depthwiseConv2d({
        depthwiseInitializer: "zeros",
        biasInitializer: "zeros",
        depthMultiplier: 1,
        ...shared,
      });
}

/**
 * One factor and an offset a channel. With several offsets, as a 1 × 1 convolution of each channel by itself: layers
 * of TensorFlow.js that rescale know one offset for all.
 */
function rescalingLayer({ name, scale, offsets }: GraphNode & { kind: "rescale" }) {
  if (offsets.length === 1) return tf.layers.rescaling({ name, scale, offset: offsets[0]! });
  const kernel = new Float32Array(offsets.length).fill(scale);
  return convolutionLayer({
    kind: "convolveDepthwise",
    name,
    inputs: [],
    kernel,
    kernelShape: [1, 1, offsets.length, 1],
    bias: Float32Array.from(offsets),
    stride: 1,
    padding: "valid",
    activation: "linear",
  });
}

function layerOf(node: GraphNode): tf.layers.Layer {
  const { name } = node;
  switch (node.kind) {
    case "rescale":
      return rescalingLayer(node);
    case "pad":
      return tf.layers.zeroPadding2d({ name, padding: node.pixels });
    case "convolve":
    case "convolveDepthwise":
      return convolutionLayer(node);
    case "poolLargest":
      return tf.layers.maxPooling2d({ name, poolSize: node.window, strides: node.stride, padding: "valid" });
    case "add":
      return tf.layers.add({ name });
    case "poolGlobally":
      return tf.layers.globalAveragePooling2d({ name });
    case "dense":
      return tf.layers.dense({
        ...initialisers,
        name,
        units: node.bias.length,
        activation: fusedActivation(node.activation),
        weights: [tf.tensor(node.kernel, node.kernelShape), tf.tensor1d(node.bias)],
        trainable: false,
      });
    case "softmax":
      return tf.layers.softmax({ name });
  }
}

/** Activations that a layer can't do itself follow as a layer that has the node's name with a suffix. */
function applyNode(node: GraphNode, inputs: SymbolicTensor[]): SymbolicTensor {
  const output = layerOf(node).apply(inputs.length === 1 ? inputs[0]! : inputs) as SymbolicTensor;
  if (!("activation" in node) || node.activation === "linear") return output;
  const isDone = node.kind !== "add" && node.activation === "relu";
  if (isDone) return output;
  const name = `${node.name}_${node.activation}`;
  const layer =
    node.activation === "relu6" ? tf.layers.reLU({ name, maxValue: 6 }) : tf.layers.reLU({ name });
  return layer.apply(output) as SymbolicTensor;
}

/**
 * Builds a TensorFlow.js layers model out of a graph: what a browser can load.
 *
 * @returns The caller disposes of it.
 */
export function buildLayersModel(graph: NetworkGraph, inputSize: number): tf.LayersModel {
  const images = tf.input({ shape: [inputSize, inputSize, 3], dtype: "float32", name: imageNode });
  const tensors = new Map<string, SymbolicTensor>([[imageNode, images]]);
  // Layers copy the weights that they start with; what they copied is freed.
  tf.tidy(() => {
    for (const node of graph) {
      const inputs = node.inputs.map((name) => tensors.get(name)!);
      tensors.set(node.name, applyNode(node, inputs));
    }
  });
  return tf.model({ inputs: images, outputs: tensors.get(graph[graph.length - 1]!.name)! });
}
